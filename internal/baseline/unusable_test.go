package baseline_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/measure"
)

// TestUnusable: what a run is told of, and what a comparison refuses it for, are one.
func TestUnusable(t *testing.T) {
	few := func(r *measure.Result) *measure.Result { // a tenth of the answers
		rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "list"}}, []measure.Phase{{Name: "hold", To: 10 * time.Second, Judged: true}}, measure.Options{})
		sh := rec.Shard()
		for i := range 537 {
			due := time.Duration(i) * 10 * time.Millisecond
			sh.Record(&measure.Sample{Due: due, Sent: due, Done: due + 20*time.Millisecond, Code: 200, Outcome: measure.Served, OK: true})
		}
		sh.Close()
		f := rec.Finish()
		r.Phases, r.Series, r.Window = f.Phases, f.Series, 10*time.Second
		return r
	}
	late := func(r *measure.Result) *measure.Result {
		r.Health.Invalid = []string{"generator: late"}
		return r
	}
	for name, c := range map[string]struct {
		results []*measure.Result
		words   string
	}{
		"fit":                    {[]*measure.Result{result("normal", 1, 1)}, ""},
		"no valid run":           {[]*measure.Result{late(result("normal", 1, 1))}, "normal: no valid run: generator: late"},
		"one of two":             {[]*measure.Result{late(result("normal", 1, 1)), result("normal", 2, 1)}, ""},
		"too few answers":        {[]*measure.Result{few(result("normal", 1, 1))}, "normal: a p95 needs 1000 answers in a run, and at most 537 were served"},
		"one that only explains": {[]*measure.Result{late(result("stress", 1, 1))}, ""},
		"nothing at all":         {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(baseline.Unusable(c.results), "\n"); got != c.words {
				t.Errorf("got %q, want %q", got, c.words)
			}
			if c.words == "" {
				return
			}
			f := baseline.From(baseline.About{}, c.results)
			got := compare(t, f, f, baseline.Options{})
			if want := []string{"the old file cannot be a baseline: " + c.words, "the new file cannot be compared: " + c.words}; got.Verdict != baseline.OverallNotCompared || !slices.Equal(got.Refused, want) {
				t.Errorf("compared: got %s, %q", got.Verdict, got.Refused)
			}
		})
	}
}
