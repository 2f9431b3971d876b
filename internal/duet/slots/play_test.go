package slots

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/gate"
	"vitals/internal/baseline/stats"
	"vitals/internal/duet"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/measure"
	"vitals/report"
)

const scenario = `name: NAME
arrivals: {rate: 1/s, run_for: 60s}
journeys:
  - name: reader
    steps:
      - {name: read, get: /health}
`

// asked is a duet of two files whose names are not their scenarios'.
func asked(t *testing.T, names ...string) Options {
	t.Helper()
	o := Options{Base: "a", Cand: "b", Looks: stats.DefaultLooks(), Measure: time.Minute, Compare: gate.Options{Format: "text"}}
	o.Run = harness.Options{Out: t.TempDir()}
	for i, name := range names {
		path := filepath.Join(t.TempDir(), string(rune('x'+i))+".yaml")
		if err := os.WriteFile(path, []byte(strings.Replace(scenario, "NAME", name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Run.Scenarios = append(o.Run.Scenarios, path)
	}
	return o
}

// TestGateNamesScenarios: --gate of a duet names scenarios as compare's does, whatever
// the files are called; nil leaves the default, stress, spike and siege.
func TestGateNamesScenarios(t *testing.T) {
	for _, c := range []struct {
		gate, explain []string
		err           string
	}{
		{nil, nil, ""},
		{[]string{"one"}, []string{"two"}, ""},
		{[]string{"one", "two"}, []string{}, ""},
		{[]string{"tow"}, nil, `--gate tow: no such scenario; there are one, two (did you mean "two"?)`},
	} {
		o := asked(t, "one", "two")
		o.Compare.Gate = c.gate
		got, err := o.check()
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("--gate %s: got %v, want %s", c.gate, err, c.err)
			}
			if err := Play(t.Context(), t.Context(), o, harness.Streams{}); exit.Code(err) != exit.Usage {
				t.Errorf("--gate %s: got exit %d of the duet, want %d", c.gate, exit.Code(err), exit.Usage)
			}
		case err != nil || !slices.Equal(got.Explain, c.explain) || (got.Explain == nil) != (c.explain == nil):
			t.Errorf("--gate %s: got %q to explain, %v; want %q", c.gate, got.Explain, err, c.explain)
		}
	}
}

// TestCutShortHasOneVerdict: the document of a duet that was interrupted says what a
// comparison of its files says, and its JUnit has an error and no failure, though rows
// are worse by then.
func TestCutShortHasOneVerdict(t *testing.T) {
	o := asked(t, "one")
	run := func(_ context.Context, s duet.Slot) (*baseline.File, error) {
		if s.Pair == 4 {
			return nil, context.Canceled
		}
		ms := map[duet.Arm]time.Duration{duet.Base: 200, duet.Cand: 400}[s.Arm]
		h := measure.NewHistogram()
		for range 1200 {
			h.Record((ms + time.Duration(s.Index%2)) * time.Millisecond)
		}
		f := baseline.From(baseline.About{Session: baseline.Session{ID: "slot"}}, nil)
		f.Scenarios = []baseline.Scenario{{Name: "one", Model: "arrivals", Config: "c", LoadModel: "l", Runs: []baseline.Run{{
			Valid: true, Window: 60e6, Offered: 1200, Sent: 1200, Completed: 1200, Achieved: 1,
			Endpoints: []baseline.Endpoint{{Name: "list", N: 1200, Hist: h, P95: 1000 * int64(ms)}},
		}}}}
		return f, nil
	}
	out, ended := duet.Play(t.Context(), duet.Options{Looks: stats.DefaultLooks(), Measure: time.Minute, Session: "d1", Run: run})
	if err := keepDuet(o, &Runner{}, out, ended); err != nil {
		t.Fatal(err)
	}
	const why = "the duet was cut short after 4 of 15 pairs: "
	d, err := report.Read(filepath.Join(o.Run.Out, "document.json"))
	if err != nil || d.Verdict != report.Invalid || !d.Partial || d.Exit != exit.Interrupted || d.Comparison.Verdict != baseline.OverallInvalid || !strings.HasPrefix(d.Reasons[0], why) {
		t.Fatalf("got %+v, %v", d, err)
	}
	var junit, text, files bytes.Buffer
	if err := errors.Join(report.JUnit(&junit, d), report.Verbose(&text, d)); err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(junit.String(), ">\n  <"); !strings.Contains(head, `failures="0"`) || strings.Contains(head, `errors="0"`) || !strings.Contains(junit.String(), why) {
		t.Errorf("got\n%s", &junit)
	}
	err = gate.Files(t.Context(), filepath.Join(o.Run.Out, "base.json.gz"), filepath.Join(o.Run.Out, "cand.json.gz"), gate.Options{Format: "text", Policy: gate.Warn}, &files, io.Discard)
	if exit.Code(err) != exit.NoAnswer {
		t.Errorf("compare: got exit %d, want %d", exit.Code(err), exit.NoAnswer)
	}
	for name, got := range map[string]string{"report": text.String(), "compare": files.String()} {
		if got := strings.Join(strings.Fields(got), " "); !strings.Contains(got, "verdict: INVALID: "+why) || strings.Contains(got, "verdict: WORSE") || strings.Contains(got, "INCONCLUSIVE: ") {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

// Two arms that are one deployment are told, before anything is measured.
func TestOneDeploymentTwice(t *testing.T) {
	for cand, told := range map[string]bool{"http://127.0.0.1:1": true, "http://127.0.0.1:2": false} {
		o := asked(t, "one")
		o.Base, o.Cand, o.BaseURL, o.CandURL = "", "", "http://127.0.0.1:1", cand
		o.Run.Pace, o.Warmup, o.Measure, o.State = "full", 4*time.Second, 11*time.Second, t.TempDir()
		var talk bytes.Buffer
		err := Play(t.Context(), t.Context(), o, harness.Streams{Out: io.Discard, Err: &talk})
		if err == nil || strings.Contains(talk.String(), "both arms are http://127.0.0.1:1: what differs is noise") != told {
			t.Errorf("%s: got %v, %q, want it told: %v", cand, err, &talk, told)
		}
	}
}
