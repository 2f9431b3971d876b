package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vitals/internal/fleet"
	"vitals/internal/fleet/rendezvous"
	"vitals/internal/fleet/rendezvous/redistest"
	"vitals/internal/load"
	"vitals/internal/measure"
)

// The model of a million requests per second: 200 members, 5 000 each, a minute.
const (
	modelMembers = 200
	modelRate    = 5000
	modelSeconds = 60
	modelSteps   = 7
	modelKinds   = 8 // streams that differ; each member replays one of them
)

// modelURL is set in the process that replays the members.
const modelURL = "VITALS_MODEL_RENDEZVOUS"

func modelPlan(tb testing.TB) *Plan {
	p, err := Read(Options{Scenarios: []string{"peak"}, Pace: "full", Targets: "production", URL: "http://127.0.0.1:1", Replicas: 1, Leads: true, Out: tb.TempDir(), Quiet: true})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// BenchmarkLead200Members is one controller that follows 200 members for a minute,
// replayed by another process over a real Redis: cores that it takes, its memory at
// the most, and how far the merged figures are behind the clock.
func BenchmarkLead200Members(b *testing.B) {
	if url := os.Getenv(modelURL); url != "" {
		replay(b, url)
		return
	}
	redis := redistest.Start(b)
	p := modelPlan(b)
	m, err := rendezvous.Open(redis.URL, "model")
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	child := exec.Command(os.Args[0], "-test.run", "^$", "-test.bench", "^BenchmarkLead200Members$", "-test.benchtime", "1x")
	child.Env = append(os.Environ(), modelURL+"="+redis.URL)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	c, err := m.Control(ctx, "p", modelMembers, rendezvous.Watcher{})
	if err != nil {
		b.Fatal(err)
	}
	w := newWatcher(p, m, c, modelMembers, nil, Streams{Out: os.Stderr, Err: os.Stderr})
	var began time.Time
	var before syscall.Rusage
	var behind []time.Duration
	received, bytes := 0, 0
	for t := time.NewTicker(time.Second); ; <-t.C {
		flushes, err := c.Receive(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if began.IsZero() {
			if len(flushes) == 0 {
				continue
			}
			began = time.Now()
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		}
		if _, err := m.Status(ctx); err != nil {
			b.Fatal(err)
		}
		for _, f := range flushes {
			bytes += len(f.Delta)
		}
		received += len(flushes)
		w.take(flushes)
		if at := w.complete(); at > 0 && received < modelMembers*modelSeconds {
			behind = append(behind, time.Since(began)+time.Second-at) // its first second was over when it was first heard
		}
		if received >= modelMembers*modelSeconds {
			break
		}
	}
	var after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := func(r syscall.Rusage) time.Duration { return time.Duration(r.Utime.Nano() + r.Stime.Nano()) }
	_ = child.Wait()
	slices.Sort(behind)
	b.ReportMetric((cpu(after)-cpu(before)).Seconds()/time.Since(began).Seconds(), "cores")
	b.ReportMetric(float64(peakMiB()), "MiB")
	b.ReportMetric(behind[len(behind)/2].Seconds(), "s-behind-p50")
	b.ReportMetric(behind[len(behind)-1].Seconds(), "s-behind-max")
	b.ReportMetric(float64(bytes)/float64(received)/1000, "kB/flush")
	if got := w.merged.Snapshot(0).Counts.Sent; got != modelMembers*modelRate*modelSeconds {
		b.Errorf("merged %d requests, want %d", got, modelMembers*modelRate*modelSeconds)
	}
}

// peakMiB is this process's memory at the most.
func peakMiB() int {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb >> 10
		}
	}
	return 0
}

// replay joins as every member and sends what each would, second by second.
func replay(b *testing.B, url string) {
	steps := load.Steps(modelPlan(b).scenarios[0])
	deltas := make([][][]byte, modelKinds)
	for k := range deltas {
		r := rand.New(rand.NewPCG(uint64(k), 1))
		rec := measure.NewRecorder(steps, nil, measure.Options{Deltas: true})
		shard := rec.Shard()
		for sec := range modelSeconds {
			for i := range modelRate {
				due := time.Duration(sec)*time.Second + time.Duration(i)*time.Second/modelRate
				took := time.Duration(float64(5*time.Millisecond) * r.ExpFloat64() * (1 + r.Float64()))
				shard.Record(&measure.Sample{Step: i % min(modelSteps, len(steps)), Due: due, Sent: due, Done: due + took, Code: 200, Outcome: measure.Served, OK: true, Planned: true})
			}
			text, err := rec.Delta(time.Duration(sec+1) * time.Second).MarshalBinary()
			if err != nil {
				b.Fatal(err)
			}
			deltas[k] = append(deltas[k], text)
		}
	}
	m, err := rendezvous.Open(url, "model")
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	seats := make([]*rendezvous.Seat, modelMembers)
	for i := range seats {
		if seats[i], err = m.Join(b.Context(), fleet.Member{Index: i, Of: modelMembers}, rendezvous.Ready{PlanID: "p", Incarnation: fmt.Sprint(i)}, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for sec := range modelSeconds {
		time.Sleep(time.Until(began.Add(time.Duration(sec+1) * time.Second)))
		var all sync.WaitGroup
		for i, seat := range seats {
			all.Go(func() {
				p := fleet.Pulse{AtUS: int64(sec+1) * 1e6, Sent: int64(sec+1) * modelRate, Rate: modelRate, P50US: 5000, P95US: 20000}
				if err := seat.Flush(b.Context(), int64(sec+1), p, deltas[i%modelKinds][sec]); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
}
