package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// parts are the comparisons, by name.
var parts = map[string]func(context.Context, *bench, io.Writer) error{
	"saturation": saturation, "open": open, "stall": stall, "think": think, "tier": tier,
}

func saturation(_ context.Context, b *bench, w io.Writer) error {
	best, err := b.rounds(job{length: b.opt.length, conns: 32}, generatorCPU, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n### Saturation, 32 connections\n\n| generator | µs a request | × wrk | × vegeta CLI | × k6 | requests/s | MB | service p50 | p99 |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range b.tools {
		r, ok := best[t.name]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "| %s | %.1f | %s | %s | %s | %.0f k | %d | %s | %s |\n", t.name, us(r.perReq), times(r, best["wrk"]), times(r, best["vegeta CLI"]),
			times(r, best["k6"]), r.rate/1000, r.rss>>10, short(r.figures.ServiceP50), short(r.figures.P99))
	}
	return nil
}

func open(_ context.Context, b *bench, w io.Writer) error {
	fmt.Fprintf(w, "\n### Fixed rates, at most 256 connections\n\n| rate | generator | µs a request | × vegeta CLI | sent | connections | lag p50 | lag p99 | p99 it reports | MB |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, rate := range []float64{1000, 5000, 10000} {
		j := job{length: b.opt.length, conns: 256, rate: rate}
		best, err := b.rounds(j, generatorCPU, nil)
		if err != nil {
			return err
		}
		for _, t := range b.tools {
			r, ok := best[t.name]
			if !ok {
				continue
			}
			fmt.Fprintf(w, "| %.0f/s | %s | %.1f | %s | %.1f %% | %d | %s | %s | %s | %d |\n", rate, t.name, us(r.perReq), times(r, best["vegeta CLI"]),
				100*float64(r.requests)/(rate*j.length.Seconds()), r.conns, short(r.figures.Lag50), short(r.figures.Lag99), short(r.figures.P99), r.rss>>10)
		}
	}
	j := job{length: 20 * b.opt.length, conns: 256, rate: 10000}
	r, err := b.round(b.tools[1], j, -1, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s at 10000/s for %s, server and generator on the same processors: %.2f %% sent over %d connections, %.1f µs a request, lag p99 %s, %d MB.\n",
		b.tools[1].name, j.length, 100*float64(r.requests)/(j.rate*j.length.Seconds()), r.conns, us(r.perReq), short(r.figures.Lag99), r.rss>>10)
	return nil
}

// stall freezes the server for one second of ten: whoever was due then waited.
func stall(_ context.Context, b *bench, w io.Writer) error {
	fmt.Fprintf(w, "\n### One second frozen in ten, 1000/s, 50 connections\n\nTruth: p50 and p90 the service time, p99 900 ms, max 1 s, 10 000 requests.\n\n| generator | sent | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|\n")
	for _, t := range b.tools {
		j := job{dir: b.dir, length: 10 * time.Second, conns: 50, rate: 1000}
		if t.name == "wrk" {
			j.rate = 0
		}
		if t.args(j) == nil {
			continue
		}
		r, err := b.round(t, j, generatorCPU, func(s *server) {
			time.Sleep(4 * time.Second)
			_ = s.freeze(time.Second)
		})
		if err != nil {
			return err
		}
		f := r.figures
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s |\n", t.name, r.requests, short(f.P50), short(f.P90), short(f.P99), short(f.Max))
	}
	return nil
}

func think(_ context.Context, b *bench, w io.Writer) error {
	best, err := b.rounds(job{length: 5 * b.opt.length, conns: 500, think: time.Second}, generatorCPU, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n### 500 virtual users who think for a second\n\n| generator | µs a request | MB | requests | p99 it reports |\n|---|---|---|---|---|\n")
	for _, t := range b.tools {
		if r, ok := best[t.name]; ok {
			fmt.Fprintf(w, "| %s | %.0f | %d | %d | %s |\n", t.name, us(r.perReq), r.rss>>10, r.requests, short(r.figures.P99))
		}
	}
	return nil
}

func us(d time.Duration) float64 { return float64(d) / 1e3 }

func times(r, of result) string {
	if of.perReq == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(r.perReq)/float64(of.perReq))
}

func short(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return d.Round(max(time.Microsecond, d/1000)).String()
}
