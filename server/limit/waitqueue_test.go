package limit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// LK13: colleagues behind one address wait for each other, and nobody
// is locked out.
func TestColleaguesWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		var refused atomic.Int64
		var done sync.WaitGroup
		for i := range 50 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.1")
				a, err := g.Enter(ctx, Login)
				if err != nil {
					refused.Add(1)
					return
				}
				time.Sleep(100 * time.Millisecond) // the hash
				a.Pass(ctx, fmt.Sprint("user", i))
			})
		}
		start := time.Now()
		done.Wait()
		if refused.Load() != 0 {
			t.Errorf("refused: got %d of 50, want none", refused.Load())
		}
		within(t, "all 50, five at a time", time.Since(start), time.Second, 0)
	})
}

// A request that waits longer than SlotWait is refused, without a lock.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		var slots []*Attempt
		for range 5 {
			a, err := g.Enter(ctx, Login)
			if err != nil {
				t.Fatal(err)
			}
			slots = append(slots, a)
		}
		start := time.Now()
		_, err := g.Enter(ctx, Login)
		p := problemOf(t, err)
		if p.Code != "too_many_concurrent_attempts" || p.Status != 429 || h.Get("Retry-After") != "1" || h.Get("X-RateLimit-Remaining") != "5" {
			t.Errorf("got %d %s, Retry-After %s, Remaining %s", p.Status, p.Code, h.Get("Retry-After"), h.Get("X-RateLimit-Remaining"))
		}
		within(t, "waited", time.Since(start), 3*time.Second, 0)
		slots[0].Release(ctx)
		if _, err := g.Enter(ctx, Login); err != nil {
			t.Errorf("after a release: got %v, want a slot", err)
		}
	})
}

// asked counts the questions to a limiter.
type asked struct {
	engine
	begins atomic.Int64
}

func (a *asked) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	a.begins.Add(1)
	return a.engine.Begin(ctx, p, key, id)
}

// Two hundred waiting requests ask hardly more often than one.
func TestWaitingIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		counter := &asked{engine: g.accounts.(*Memory)}
		g.limiter = counter
		ctx, _ := from(t.Context(), "192.0.2.1")
		for range 5 {
			if _, err := g.Enter(ctx, Login); err != nil {
				t.Fatal(err)
			}
		}
		var done sync.WaitGroup
		for range 200 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.1")
				_, _ = g.Enter(ctx, Login)
			})
		}
		done.Wait()
		// One look each at most when coming and going, and the head's looks.
		if got := counter.begins.Load(); got > 5+2*200+30 {
			t.Errorf("questions: got %d, want at most 435", got)
		}
		if len(g.queues.at) != 0 {
			t.Errorf("lines left: got %d, want none", len(g.queues.at))
		}
	})
}

// LK8 at the gate: exactly five of 200 at once are judged.
func TestAtTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		var judged, locked atomic.Int64
		var done sync.WaitGroup
		for range 200 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.1")
				a, err := g.Enter(ctx, Login)
				if err != nil {
					if problemOf(t, err).Code == "locked_out" {
						locked.Add(1)
					}
					return
				}
				time.Sleep(60 * time.Millisecond)
				judged.Add(1)
				a.Fail(ctx, "mallory")
			})
		}
		done.Wait()
		if judged.Load() != 5 || locked.Load() != 195 {
			t.Errorf("got %d judged, %d locked; want 5, 195", judged.Load(), locked.Load())
		}
	})
}

// The queue cannot fill the process: a request that finds it full is refused at once,
// and the limiter is not asked for it.
func TestAFullQueueRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		counter := &asked{engine: g.accounts.(*Memory)}
		g.limiter = counter
		var told, waited atomic.Int64
		var done sync.WaitGroup
		for n := range 6 {
			ip := fmt.Sprint("192.0.2.", n)
			ctx, _ := from(t.Context(), ip)
			for range 5 {
				if _, err := g.Enter(ctx, Login); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 * perQueueMax {
				done.Go(func() {
					ctx, h := from(t.Context(), ip)
					began := time.Now()
					_, err := g.Enter(ctx, Login)
					if p := problemOf(t, err); p.Code != "too_many_concurrent_attempts" || h.Get("Retry-After") != "1" {
						t.Errorf("got %s, Retry-After %q", p.Code, h.Get("Retry-After"))
					}
					if time.Since(began) == 0 {
						told.Add(1)
					} else {
						waited.Add(1)
					}
				})
			}
			synctest.Wait()
			if got := g.queues.at[recordKey{Login, ip}]; n < 4 && (got == nil || got.waiting != perQueueMax) {
				t.Errorf("line %d: got %v, want %d waiting", n+1, got, perQueueMax)
			}
		}
		done.Wait()
		if waited.Load() != waitersMax || told.Load() != 12*perQueueMax-waitersMax {
			t.Errorf("got %d waiting and %d told at once, want %d and %d", waited.Load(), told.Load(), waitersMax, 12*perQueueMax-waitersMax)
		}
		if g.queues.waiting != 0 || len(g.queues.at) != 0 {
			t.Errorf("left: got %d waiting in %d lines, want none", g.queues.waiting, len(g.queues.at))
		}
	})
}
