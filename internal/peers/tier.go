package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// The slow phase: what arrives in it is answered this much later.
const (
	slowFor  = 2 * time.Second
	slowRate = 3000.0
	inSlow   = slowRate * float64(slowFor/time.Second)
)

// tier slows the server down for two seconds: 6000 requests are due in them, and
// each is answered 2 s later. Who has too few connections sends less just then,
// and its p95 forgets it.
func tier(_ context.Context, b *bench, w io.Writer) error {
	fmt.Fprintf(w, "\n### Two seconds in which answers take two seconds, %.0f/s\n\nTruth: %.0f requests arrive in them. Of 20 s they are 10 %%, so p95 is 2 s; of the judged 30 s in 60 s they are 6.7 %%, so p95 and p97.5 are.\n\n"+
		"| generator | connections at most | arrived in the slow phase | sent | p50 | p95 | p97.5 | what it says of that |\n|---|---|---|---|---|---|---|---|\n", slowRate, inSlow)
	short1 := job{length: 20 * time.Second, rate: slowRate}
	judged := job{length: 30 * time.Second, around: 15 * time.Second, rate: slowRate, conns: 8000}
	few, enough := short1, short1
	few.conns, enough.conns = 256, 8000
	for _, j := range []job{judged, few, enough} {
		for _, t := range b.tools {
			j.dir = b.dir
			if t.args(j) == nil || j.around > 0 && t.name != "vitals engine" {
				continue
			}
			r, err := b.round(t, j, generatorCPU, func(s *server) {
				time.Sleep(j.around + j.length/2)
				_ = s.slow(slowFor) // a server that is gone shows in the counts
			})
			if err != nil {
				fmt.Fprintf(w, "| %s | %d | – | – | – | – | – | it failed: %v |\n", t.name, j.conns, err)
				continue
			}
			f := r.figures
			due := slowRate * (j.length + 2*j.around).Seconds()
			fmt.Fprintf(w, "| %s, %s | %d | %d (%.0f %%) | %.1f %% | %s | %s | %s | %s |\n", t.name, j.length+2*j.around, j.conns, r.slowed, 100*float64(r.slowed)/inSlow,
				100*float64(r.requests)/due, short(f.P50), short(f.P95), short(f.P975), cmp.Or(f.Says, r.said, "nothing"))
		}
	}
	return nil
}

var trouble = regexp.MustCompile(`(?i)warn|drop|insufficient|behind|late|fell`)

// complaint is the first line of a tool's standard error that warns of anything.
func complaint(text string) string {
	for line := range strings.Lines(text) {
		if trouble.MatchString(line) {
			line = strings.TrimSpace(strings.ReplaceAll(line, "|", "/"))
			return line[:min(len(line), 120)]
		}
	}
	return ""
}
