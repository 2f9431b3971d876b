package targets_test

import (
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

// A time that users waited for the generator alone is no figure of the system; where
// requests arrive at a rate they may have waited for it.
func TestOurOwnLagIsNoMissedTarget(t *testing.T) {
	took := func(late time.Duration, slow time.Duration) []measure.PhaseResult {
		rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "call"}}, []measure.Phase{{Name: "hold", To: 10 * time.Second, Judged: true}}, measure.Options{})
		sh := rec.Shard()
		for i := range 1000 {
			due, sent := time.Duration(i)*10*time.Millisecond, time.Duration(0)
			if i%10 == 0 {
				sent = late
			}
			sh.Record(&measure.Sample{Due: due, Sent: due + sent, Done: due + sent + slow, Code: 200, Outcome: measure.Served, OK: true})
		}
		sh.Close()
		return rec.Finish().Phases
	}
	for _, c := range []struct {
		name, model, target string
		late, slow          time.Duration
		want                targets.Status
	}{
		{"we were late", "users", "max < 1s", 3 * time.Second, 5 * time.Millisecond, targets.NoData},
		{"we were late", "users", "p95 < 1s", 3 * time.Second, 5 * time.Millisecond, targets.NoData},
		{"we were late", "users", "mean < 100ms", 3 * time.Second, 5 * time.Millisecond, targets.NoData},
		{"it was slow as well", "users", "max < 1s", 3 * time.Second, 1100 * time.Millisecond, targets.Fail},
		{"they waited in its queue", "arrivals", "max < 1s", 3 * time.Second, 5 * time.Millisecond, targets.Fail},
		{"met all the same", "users", "max < 4s", 3 * time.Second, 5 * time.Millisecond, targets.Pass},
	} {
		r := &measure.Result{Model: c.model, Window: 10 * time.Second, Phases: took(c.late, c.slow)}
		got := targets.Judge([]targets.Target{parse(t, c.target)}, r)[0]
		if got.Status != c.want || c.want == targets.NoData && !strings.Contains(got.Note, "the rest is our own lag") {
			t.Errorf("%s, %s: got %v", c.name, c.target, got)
		}
	}
}

// A system that is still working off its queue when the load has ended cannot do the rate
// at which requests came.
func TestARateCountsWhatCameInTime(t *testing.T) {
	rate := func(each time.Duration) targets.Verdict {
		phases := []measure.Phase{{Name: "hold", To: 5 * time.Second, Judged: true}, {Name: "more", From: 5 * time.Second, To: 10 * time.Second, Judged: true}}
		rec := measure.NewRecorder([]measure.Step{{Journey: "a", Name: "call"}}, phases, measure.Options{})
		sh := rec.Shard()
		done := time.Duration(0)
		for i := range 1000 {
			due := time.Duration(i) * 10 * time.Millisecond
			done = max(done, due) + each // one at a time
			sh.Record(&measure.Sample{Due: due, Sent: due, Done: done, Code: 200, Outcome: measure.Served, OK: true})
		}
		sh.Close()
		r := &measure.Result{Model: "arrivals", Window: 10 * time.Second, Phases: rec.Finish().Phases}
		return targets.Judge([]targets.Target{parse(t, "rps >= 100")}, r)[0]
	}
	if got := rate(8 * time.Millisecond); got.Status != targets.Pass || got.Got != 100 || got.Note != "" {
		t.Errorf("in time: got %v", got)
	}
	// 50 a second: 500 in ten seconds, and what comes within half of one after them.
	if got := rate(20 * time.Millisecond); got.Status != targets.Fail || got.Got < 50 || got.Got > 51.3 || !strings.Contains(got.Note, "more were served after the window") {
		t.Errorf("half as fast as due: got %v", got)
	}
}
