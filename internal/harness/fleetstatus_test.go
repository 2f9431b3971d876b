package harness

import (
	"bytes"
	"strings"
	"testing"

	"vitals/internal/exit"
	"vitals/internal/fleet/rendezvous/redistest"
)

// Who asks about a run that nobody has led is told so, and an abort of it does not
// wait for a later run of that name.
func TestARunThatNobodyLed(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	var out bytes.Buffer
	for name, err := range map[string]error{
		"status": FleetStatus(t.Context(), &out, redis.File, "peak-1"),
		"abort":  FleetAbort(t.Context(), &out, redis.File, "peak-1", "by hand"),
	} {
		if exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "no run peak-1 is known") || out.Len() > 0 {
			t.Errorf("%s: got %v and %q, want an unknown run", name, err, out.String())
		}
	}
	r := newLedRun(t, 2, ledScenario(1, ""))
	r.redis = redis
	l := r.lead()
	l.Run = "peak-1" // which the abort named
	r.startAs(t, "peak-1")
	d, err := Fleet{Options: r.options("out"), Lead: l, Engine: "none"}.Run(t.Context(), t.Context(), Streams{Out: &out, Err: &out})
	if r.all.Wait(); err != nil || d.Partial {
		t.Errorf("got %v, %s, want a whole run", err, out.String())
	}
	out.Reset()
	if err := FleetStatus(t.Context(), &out, redis.File, "peak-1"); err != nil || !strings.Contains(out.String(), "2 finished, lost []") {
		t.Errorf("got %q, %v, want two members that finished", out.String(), err)
	}
	if err := FleetAbort(t.Context(), &out, redis.File, "peak-1", "by hand"); exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("abort of a run that has ended: got %v", err)
	}
	again, err := Fleet{Options: r.options("again"), Lead: l, Engine: "none"}.Run(t.Context(), t.Context(), Streams{Out: &out, Err: &out})
	if err != nil || again.Partial || again.Verdict != d.Verdict {
		t.Errorf("collected again: got %v, %+v, want what it was", err, again)
	}
	l.Members = 3
	if _, err := (Fleet{Options: r.options("other"), Lead: l, Engine: "none"}).Run(t.Context(), t.Context(), Streams{Out: &out, Err: &out}); exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "choose another run id") {
		t.Errorf("another plan: got %v, want it refused", err)
	}
}
