package limit

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// rig is one store to run a test body against. The bodies count time in units:
// a fake minute in memory, a real fraction of a second on a real server.
type rig struct {
	engine  engine              // one instance
	another func() engine       // a further instance on the same store
	sleep   func(time.Duration) // lets time pass
	unit    time.Duration       // the bodies' unit of time
	slack   time.Duration       // how wrong a duration may be
}

// onEvery runs body against each store.
func onEvery(t *testing.T, body func(t *testing.T, r rig)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := NewMemory(time.Hour, 0)
			body(t, rig{
				engine: m, another: func() engine { return m },
				sleep: time.Sleep, unit: time.Minute, slack: 0,
			})
		})
	})
}

// login is the login policy in the rig's time: 5 in 3 units, a lock of 9.
func (r rig) login() Policy {
	return Policy{Name: Login, Limit: 5, Window: 3 * r.unit, Lock: 9 * r.unit, Failures: true}
}

// asker asks one limiter and fails the test on errors.
type asker struct {
	t *testing.T
	e Limiter
	p Policy
}

func (a asker) begin(key, id string) Decision {
	a.t.Helper()
	d, err := a.e.Begin(a.t.Context(), a.p, key, id)
	if err != nil {
		a.t.Fatalf("begin: %v", err)
	}
	return d
}

func (a asker) commit(key, id string, o Outcome, user string) Decision {
	a.t.Helper()
	d, err := a.e.Commit(a.t.Context(), a.p, key, id, o, user)
	if err != nil {
		a.t.Fatalf("commit: %v", err)
	}
	return d
}

func (a asker) take(key, id string) Decision {
	a.t.Helper()
	d, err := a.e.Take(a.t.Context(), a.p, key, id)
	if err != nil {
		a.t.Fatalf("take: %v", err)
	}
	return d
}

// try is one whole attempt.
func (a asker) try(key, user string, o Outcome) (Decision, bool) {
	a.t.Helper()
	id := rand.Text()
	d := a.begin(key, id)
	if d.Verdict != Allowed {
		return d, false
	}
	return a.commit(key, id, o, user), true
}

// fails makes n failed attempts that must all be judged.
func (a asker) fails(key string, n int) {
	a.t.Helper()
	for i := range n {
		if d, judged := a.try(key, "mallory", Failed); !judged {
			a.t.Fatalf("failure %d of %d: got %v, want judged", i+1, n, d.Verdict)
		}
	}
}

func (a asker) wants(key string, want Verdict) Decision {
	a.t.Helper()
	id := rand.Text()
	d := a.begin(key, id)
	if d.Verdict != want {
		a.t.Fatalf("begin: got %v, want %v", d.Verdict, want)
	}
	if want == Allowed {
		a.commit(key, id, Released, "")
	}
	return d
}

func within(t *testing.T, what string, got, want, slack time.Duration) {
	t.Helper()
	if got > want+slack || got < want-slack {
		t.Errorf("%s: got %v, want %v ± %v", what, got, want, slack)
	}
}

// LK1, LK2, LK3: five are judged with Remaining 4…0, the sixth starts the lock.
func TestSixthAttemptLocks(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		p := r.login()
		a := asker{t, r.engine, p}
		for want := 4; want >= 0; want-- {
			d, judged := a.try("192.0.2.1", "mallory", Failed)
			if !judged || d.Remaining != want {
				t.Fatalf("got judged %v, remaining %d; want true, %d", judged, d.Remaining, want)
			}
			within(t, "reset", d.Reset, p.Window, r.slack)
		}
		d := a.wants("192.0.2.1", LockedNow)
		if d.Remaining != 0 {
			t.Errorf("remaining: got %d, want 0", d.Remaining)
		}
		within(t, "retry", d.Retry, p.Lock, r.slack)
		within(t, "later retry", a.wants("192.0.2.1", Locked).Retry, p.Lock, r.slack)
		a.wants("192.0.2.2", Allowed)
		other := asker{t, r.engine, Policy{Name: TwoFactor, Limit: 10, Window: p.Window, Lock: p.Lock, Failures: true}}
		other.wants("192.0.2.1", Allowed)
	})
}

// LK8, LK9: many at once, over two instances.
func TestTrap01_ParallelGuessesAreReservedBeforeTheyAreJudged(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		p := r.login()
		p.Lock, p.Window = 9*time.Hour, 3*time.Hour // no time may pass for this one
		two := [2]engine{r.engine, r.another()}
		for round := range 20 {
			key := fmt.Sprintf("192.0.2.%d", round+1)
			var judged, locked, busy, wrong atomic.Int64
			var start, done sync.WaitGroup
			start.Add(1)
			for i := range 200 {
				done.Go(func() {
					start.Wait()
					ctx, id, e := context.Background(), rand.Text(), two[i%2]
					for {
						d, err := e.Begin(ctx, p, key, id)
						switch {
						case err != nil:
							wrong.Add(1)
							return
						case d.Verdict == Busy:
							busy.Add(1)
							time.Sleep(time.Millisecond)
							continue
						case d.Verdict == Allowed:
							judged.Add(1)
							time.Sleep(time.Millisecond) // the hash
							if _, err := e.Commit(ctx, p, key, id, Failed, "mallory"); err != nil {
								wrong.Add(1)
							}
						default:
							locked.Add(1)
						}
						return
					}
				})
			}
			start.Done()
			done.Wait()
			if judged.Load() != 5 || locked.Load() != 195 || wrong.Load() != 0 {
				t.Fatalf("round %d: got %d judged, %d locked, %d errors; want 5, 195, 0",
					round, judged.Load(), locked.Load(), wrong.Load())
			}
		}
	})
}
