package load

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// Which figures make a run invalid, which suspect, and which neither.
func TestVerdictOnOurselves(t *testing.T) {
	late := func(n, late int, by time.Duration) func(*run, *Outcome) {
		return func(r *run, _ *Outcome) {
			for i := range n {
				d := time.Duration(0)
				if i < late {
					d = by
				}
				r.lag.record(time.Duration(i)*10*time.Millisecond, d)
			}
		}
	}
	for _, tt := range []struct {
		name    string
		make    func(*run, *Outcome)
		invalid string // part of the reason; "" = none
		suspect string
	}{
		{"all is well", late(1000, 0, 0), "", ""},
		{"lag", late(1000, 300, 5*time.Millisecond), "lag p99 5", ""},
		{"half the lag", late(1000, 100, 1500*time.Microsecond), "", "though in no window of 1s by more than the bound (lag p99 1.5"},
		{"three bad windows in a row", late(1000, 220, 5*time.Millisecond), "generator: CPU contention: requests were sent late by ourselves in 3 of 10 windows of 1s, 3 in a row", ""},
		{"one bad window of ten", late(1000, 3, 5*time.Millisecond), "", "in 1 of 10 windows"},
		{"not all sent", func(_ *run, o *Outcome) { o.Counts = measure.Counts{Planned: 1000, Sent: 970, Dropped: 30} }, "970 of 1000", ""},
		{"nearly all sent", func(_ *run, o *Outcome) { o.Counts = measure.Counts{Planned: 1000, Sent: 985, Dropped: 15} }, "", "985 of 1000"},
		{"not all sent, but stopped", func(_ *run, o *Outcome) {
			o.Partial, o.Counts = true, measure.Counts{Planned: 1000, Sent: 100, Unsent: 900}
		}, "", ""},
		{"collector", func(r *run, _ *Outcome) { r.monitor.pause = 12 * time.Millisecond }, "", "generator: GC: our own garbage collector stopped the world for 12ms"},
		{"collector and lateness", func(r *run, o *Outcome) {
			r.monitor.pause = 12 * time.Millisecond
			late(1000, 500, 5*time.Millisecond)(r, o)
		}, "generator: GC: requests were sent late", ""},
		{"short pause", func(r *run, _ *Outcome) { r.monitor.pause = time.Millisecond }, "", ""},
		{"steal", func(r *run, _ *Outcome) { r.monitor.steal = 0.07 }, "took 7.0 %", ""},
		{"throttled", func(r *run, _ *Outcome) { r.monitor.squeeze = 0.2 }, "throttled 20.0 %", ""},
		{"own CPU", func(r *run, _ *Outcome) { r.monitor.cpu = 0.8 }, "took 80 %", ""},
		{"some own CPU", func(r *run, _ *Outcome) { r.monitor.cpu = 0.4 }, "", "took 40 %"},
		{"ports", func(r *run, _ *Outcome) { r.watch.saw(&wire.Call{Class: measure.NoPorts}) }, "out of local ports", ""},
		{"files", func(r *run, _ *Outcome) { r.watch.saw(&wire.Call{Class: measure.FDLimit}) }, "out of file descriptors", ""},
		{"own fault", func(r *run, _ *Outcome) { r.watch.saw(&wire.Call{Class: measure.Generator}) }, "inside the generator", ""},
		{"clock", func(r *run, _ *Outcome) { r.monitor.steps = 1 }, "", "clock was set 1 times"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := ping(turn(), 0)
			r, err := newRun(sc, record(sc), Options{Base: nowhereURL})
			if err != nil {
				t.Fatal(err)
			}
			r.lag.width = time.Second
			o := &Outcome{}
			tt.make(r, o)
			h := r.judge(o)
			for what, pair := range map[string]struct {
				got  []string
				want string
			}{"invalid": {h.Invalid, tt.invalid}, "suspect": {h.Suspect, tt.suspect}} {
				found := slices.ContainsFunc(pair.got, func(s string) bool { return strings.Contains(s, pair.want) })
				if pair.want == "" && what == "invalid" && len(pair.got) > 0 || pair.want != "" && !found {
					t.Errorf("got %s %q, want %q", what, pair.got, pair.want)
				}
			}
		})
	}
}

func TestDeadIsARowOfFailures(t *testing.T) {
	var why error
	w := watch{stop: func(err error) { why = err }}
	fail := &wire.Call{Class: measure.Connect, Err: errors.New("connection refused")}
	for i := range 30 {
		fail.Done = time.Duration(i) * 200 * time.Millisecond
		w.saw(fail)
		if i == 14 { // one answer in between, even a bad one, is life
			w.saw(&wire.Call{Class: measure.TimeoutAnswer})
		}
	}
	if why != nil {
		t.Fatalf("got %v before 3s were over since the answer", why)
	}
	fail.Done = 6100 * time.Millisecond
	if w.saw(fail); why == nil {
		t.Error("got a living target, want it dead after 10 failures over 3s")
	}
}

// The server's slowness is not held against ourselves.
func TestWaitingForWorkersIsNotOurLag(t *testing.T) {
	s := newNullServer(t, nil)
	sc := ping(constant(scenarios.Arrivals, 100, 1500*time.Millisecond), 0)
	sc.Load.Workers = 3
	o, err := Run(t.Context(), sc, record(sc), Options{Base: s.url(), During: []func(context.Context, time.Time) error{
		func(ctx context.Context, began time.Time) error {
			s.freeze(ctx, began, 300*time.Millisecond, 700*time.Millisecond)
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := o.Health.Lag.Max(); p > 200*time.Millisecond || o.Health.Lag.N() > 120 {
		t.Errorf("got a lag of %s at most, in %d requests, want those that waited for a worker left out", p, o.Health.Lag.N())
	}
	if o.Health.CapWait < 500*time.Millisecond {
		t.Errorf("got %s at the cap, want about 700ms", o.Health.CapWait)
	}
}
