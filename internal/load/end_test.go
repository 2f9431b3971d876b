package load

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// What was due and not sent any more is counted, and what was sent is waited for.
func TestCancelDrains(t *testing.T) {
	for _, model := range []scenarios.Model{scenarios.Arrivals, scenarios.Users} {
		t.Run(string(model), func(t *testing.T) {
			var arrived atomic.Int64
			s := newNullServer(t, func(string) { arrived.Add(1) })
			sc := ping(constant(model, 50, 10*time.Second), 10*time.Millisecond)
			rec := record(sc)
			ctx, cancel := context.WithCancel(t.Context())
			var answered time.Time
			o, err := Run(ctx, sc, rec, Options{Base: s.url(), During: []func(context.Context, time.Time) error{
				func(context.Context, time.Time) error {
					until(t, func() bool { return s.served.Load() > 2 })
					s.gate.mu.Lock() // requests hang
					until(t, func() bool { return arrived.Load() > s.served.Load() })
					cancel()
					answered = time.Now()
					s.gate.mu.Unlock()
					return nil
				},
			}})
			ended := time.Now()
			if err != nil {
				t.Fatal(err)
			}
			c := rec.Finish().Phases[0].Steps[0].Counts
			if ended.Before(answered) || o.Took > 8*time.Second || !o.Partial || o.EndedEarly != "" {
				t.Errorf("got the end after %s, partial %v, ended %q, want it once the requests under way were answered", o.Took, o.Partial, o.EndedEarly)
			}
			if c.Served != c.Sent || c.Served != s.served.Load() {
				t.Errorf("got %+v, want every request answered; the server answered %d", c, s.served.Load())
			}
			if c.Planned != c.Sent+c.Dropped+c.Unsent || model == scenarios.Arrivals && (c.Planned != 500 || c.Unsent == 0) {
				t.Errorf("got %+v, want 500 planned = sent + dropped + unsent", c)
			}
		})
	}
}

// until waits for a condition.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Error("waited for 10s in vain")
			return
		}
	}
}

// The second interrupt waits for nobody.
func TestKillStopsAtOnce(t *testing.T) {
	for _, model := range []scenarios.Model{scenarios.Arrivals, scenarios.Users} {
		t.Run(string(model), func(t *testing.T) {
			kill, now := context.WithCancel(t.Context())
			var begun sync.Once // by the first request: to open the connections takes a busy machine a while
			s := newNullServer(t, func(string) { begun.Do(func() { time.AfterFunc(300*time.Millisecond, now) }) })
			s.gate.mu.Lock()
			defer s.gate.mu.Unlock()
			sc := ping(constant(model, 20, 10*time.Second), 10*time.Millisecond)
			rec := record(sc)
			o, err := Run(t.Context(), sc, rec, Options{Base: s.url(), Kill: kill})
			if err != nil {
				t.Fatal(err)
			}
			st := rec.Finish().Phases[0].Steps[0]
			if o.Took > time.Second || !o.Partial {
				t.Errorf("got the end after %s, partial %v, want at once", o.Took, o.Partial)
			}
			if n := st.Classes[measure.Cancelled.String()]; n == 0 || n != st.Counts.Sent {
				t.Errorf("got %v of %d requests, want all cancelled", st.Classes, st.Counts.Sent)
			}
			if c := st.Counts; c.Errors > 0 || c.Ours != c.Sent || c.Judged() != 0 {
				t.Errorf("got %d errors, %d ours, %d judged, want none counted against the server", c.Errors, c.Ours, c.Judged())
			}
		})
	}
}

func TestGraceEnds(t *testing.T) {
	s := newNullServer(t, nil)
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	sc := ping(constant(scenarios.Users, 3, 10*time.Second), 0)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	o, err := Run(ctx, sc, record(sc), Options{Base: s.url(), Grace: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if o.Took < 250*time.Millisecond || o.Took > time.Second {
		t.Errorf("got the end after %s, want it after 300ms", o.Took)
	}
}

func TestDeadTargetEndsTheRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: l.Addr().String()}
	_ = l.Close()
	sc := ping(constant(scenarios.Users, 5, time.Minute), 100*time.Millisecond)
	// From addresses of its own no connection is opened ahead, so that the load
	// itself meets the dead target.
	o, err := Run(t.Context(), sc, record(sc), Options{Base: base})
	if err != nil || o.EndedBy != measure.TargetDead || o.Took != 0 || !strings.Contains(o.EndedEarly, "refused") {
		t.Errorf("got %+v, error %v, want the refused connection before the load begins", o, err)
	}
	s := newNullServer(t, nil)
	rec := record(sc)
	began := time.Now()
	o, err = Run(t.Context(), sc, rec, Options{Base: s.url(), During: []func(context.Context, time.Time) error{
		func(ctx context.Context, _ time.Time) error {
			sleep(ctx, 200*time.Millisecond)
			s.stop()
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(o.EndedEarly, "the target is dead") || !strings.Contains(o.EndedEarly, "refused") || time.Since(began) > 10*time.Second {
		t.Errorf("got ended %q after %s, want an early end that says why", o.EndedEarly, time.Since(began))
	}
}

func TestAbortEndsTheRun(t *testing.T) {
	s := newNullServer(t, nil)
	sc := ping(constant(scenarios.Arrivals, 100, time.Minute), 0)
	lives := 0
	o, err := Run(t.Context(), sc, record(sc), Options{
		Base: s.url(),
		Live: func(measure.Snapshot) { lives++ },
		Abort: func(snap measure.Snapshot) string {
			if snap.Counts.Served > 150 {
				return "p95 > 1s for 10s"
			}
			return ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.EndedEarly != "p95 > 1s for 10s" || lives < 1 || o.Took > 5*time.Second || o.Counts.Planned != 6000 {
		t.Errorf("got ended %q after %s and %d looks, %+v, want the rule's words", o.EndedEarly, o.Took, lives, o.Counts)
	}
}

// What runs beside the load ends with it, and its trouble is the run's.
func TestTroubleDuring(t *testing.T) {
	s := newNullServer(t, nil)
	sc := ping(constant(scenarios.Users, 1, 100*time.Millisecond), 10*time.Millisecond)
	_, err := Run(t.Context(), sc, record(sc), Options{Base: s.url(), During: []func(context.Context, time.Time) error{
		func(ctx context.Context, _ time.Time) error { <-ctx.Done(); return ctx.Err() },
		func(context.Context, time.Time) error { return errors.New("no address to guess from") },
	}})
	if err == nil || !strings.Contains(err.Error(), "no address to guess from") {
		t.Errorf("got error %v, want the one from beside", err)
	}
}

// Arrivals that are too late are given up and counted, if the scenario says so.
func TestTooLateIsDropped(t *testing.T) {
	s := newNullServer(t, nil)
	sc := ping(constant(scenarios.Arrivals, 200, time.Second), 0)
	sc.Load.Workers, sc.Load.MaxLate = 2, 50*time.Millisecond
	rec := record(sc)
	o, err := Run(t.Context(), sc, rec, Options{Base: s.url(), During: []func(context.Context, time.Time) error{
		func(ctx context.Context, began time.Time) error {
			s.freeze(ctx, began, 300*time.Millisecond, 300*time.Millisecond)
			return nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := rec.Finish().Phases[0].Steps[0].Counts
	if c.Dropped < 20 || c.Dropped > 80 || c.Planned != 200 || c.Sent+c.Dropped != 200 {
		t.Errorf("got %+v, want about 50 of 200 dropped", c)
	}
	if o.Health.CapWait < 200*time.Millisecond || o.Health.Peak != 2 {
		t.Errorf("got %s at the cap and %d workers at most, want about 300ms and 2", o.Health.CapWait, o.Health.Peak)
	}
}
