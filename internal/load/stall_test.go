package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"vitals/scenarios"
)

// A server that stands still for one second out of ten is the test that most
// load generators fail: they wait with it, and report that all was well
// (coordinated omission). What a waiting user felt follows from the schedule alone: whoever was due
// during the freeze waited for its end. Whatever the cap on workers, the recorder
// must show that.
func TestFrozenServer(t *testing.T) {
	for _, tt := range []struct {
		rate      float64
		workers   int
		tolerance float64
	}{
		{200, 4, 0.02},
		{200, 32, 0.02},
		{200, 256, 0.02},
		{1000, 50, 0.01},
	} {
		t.Run(fmt.Sprintf("%.0f per s by %d workers", tt.rate, tt.workers), func(t *testing.T) {
			t.Parallel()
			const freeze = time.Second
			var mu sync.Mutex
			answered := map[uint64]time.Time{}
			s := newNullServer(t, nil)
			s.answered = func(n uint64) {
				now := time.Now()
				mu.Lock()
				defer mu.Unlock()
				answered[n] = now
			}
			sc := ping(constant(scenarios.Arrivals, tt.rate, 10*time.Second), 0)
			sc.Load.Workers = tt.workers
			rec := record(sc)
			var from, to time.Duration
			o, err := Run(t.Context(), sc, rec, Options{Base: s.url(), During: []func(context.Context, time.Time) error{
				func(ctx context.Context, began time.Time) error {
					from, to = s.freeze(ctx, began, 4*time.Second, freeze)
					return nil
				},
			}})
			if err != nil {
				t.Fatal(err)
			}
			// Two truths: what the schedule demands of a server that answers at once but
			// for the freeze, and what this one did, on a machine with other work to do.
			demanded, seen := waits(sc.Load, func(n uint64, due time.Duration) time.Duration {
				if from <= due && due < to {
					return to - due
				}
				return 0
			}), waits(sc.Load, func(n uint64, due time.Duration) time.Duration { return answered[n].Sub(o.Began) - due })
			got := rec.Finish().Phases[0].Steps[0]
			if n := int(tt.rate * 10); got.Counts.Served != int64(n) || o.Counts.Sent != int64(n) || o.Counts.Planned != int64(n) {
				t.Errorf("got %+v, want %d planned, sent and served", got.Counts, n)
			}
			if s.conns.Load() > int64(max(tt.workers, started)) {
				t.Errorf("got %d connections, want at most the workers: %d", s.conns.Load(), tt.workers)
			}
			tolerance, slop := tt.tolerance, 2*time.Millisecond
			doubts := slices.Concat(o.Health.Invalid, o.Health.Suspect)
			if raceEnabled { // hundreds of answers at the thaw, each read slowly
				doubts = append(doubts, "the race detector is at work")
			}
			if len(doubts) > 0 {
				// Coordinated omission would be off by 99 %; this still tells.
				tolerance, slop = 0.05, 100*time.Millisecond
				t.Logf("held to 5 %% only: %s", doubts)
			}
			check := func(q float64, truth []time.Duration, what string) {
				have, _ := got.Response.Quantile(q)
				want := truth[int(math.Ceil(q*float64(len(truth))))-1]
				if off := (have - want).Abs(); off > time.Duration(tolerance*float64(want))+slop {
					t.Errorf("p%g: got %s, want %s %s", 100*q, have, want, what)
				}
			}
			// Not 0.9: a tenth of the arrivals waits for the thaw, so that rank lies on the
			// step between who waited and who did not, and one answer more decides it.
			for _, q := range []float64{0.5, 0.8, 0.95, 0.99, 1} {
				check(q, seen, "by the server's clock")
			}
			if tolerance == tt.tolerance {
				check(0.99, demanded, "by arithmetic")
				check(1, demanded, "by arithmetic")
			} else if p99, _ := got.Response.Quantile(0.99); p99 < demanded[len(demanded)*99/100-1]*95/100 {
				t.Errorf("p99: got %s, want no less than arithmetic demands", p99)
			}
			if service, _ := got.Service.Quantile(0.9); service > 100*time.Millisecond {
				t.Errorf("service p90: got %s, want it short: only the requests under way saw the freeze", service)
			}
		})
	}
}

// waits are the waiting times of all arrivals, in ascending order.
func waits(l scenarios.Load, wait func(n uint64, due time.Duration) time.Duration) (list []time.Duration) {
	schedule := l.Arrivals(0)
	for n := uint64(0); ; n++ {
		due, ok := schedule.Due(n)
		if !ok {
			slices.Sort(list)
			return list
		}
		list = append(list, wait(n, due))
	}
}
