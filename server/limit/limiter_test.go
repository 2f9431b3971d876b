package limit

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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
func TestParallelGuessesAreReservedBeforeTheyAreJudged(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		p := r.login()
		p.Lock, p.Window = 9*time.Hour, 3*time.Hour // no time may pass for this one
		two := [2]engine{r.engine, r.another()}
		for round := range r.rounds {
			key := fmt.Sprintf("192.0.2.%d", round+1)
			var judged, locked, busy, wrong atomic.Int64
			var start, done sync.WaitGroup
			start.Add(1)
			for i := range r.crowd {
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
							time.Sleep(20 * time.Millisecond)
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
			if judged.Load() != 5 || locked.Load() != int64(r.crowd)-5 || wrong.Load() != 0 {
				t.Fatalf("round %d: got %d judged, %d locked, %d errors; want 5, %d, 0",
					round, judged.Load(), locked.Load(), wrong.Load(), r.crowd-5)
			}
		}
	})
}

func TestBusyIsNotLocked(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		for i := range 5 {
			if d := a.begin("192.0.2.1", fmt.Sprint("slot", i)); d.Verdict != Allowed || d.Remaining != 5 {
				t.Fatalf("slot %d: got %v, remaining %d; want allowed, 5", i, d.Verdict, d.Remaining)
			}
		}
		if d := a.begin("192.0.2.1", "one too many"); d.Verdict != Busy || d.Remaining != 5 || d.Retry != 0 {
			t.Errorf("sixth at once: got %+v, want busy with 5 remaining", d)
		}
		if d := a.begin("192.0.2.1", "slot3"); d.Verdict != Allowed {
			t.Errorf("replay of a reservation: got %v, want allowed", d.Verdict)
		}
		a.commit("192.0.2.1", "slot3", Passed, "alice")
		a.wants("192.0.2.1", Allowed)
	})
}

// LK31: whatever was done, every key ends by itself.
func TestEveryKeyEnds(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		a.fails("192.0.2.1", 3)
		a.begin("192.0.2.1", "in flight")
		a.fails("192.0.2.2", 5)
		a.wants("192.0.2.2", LockedNow)
		many := asker{t, r.engine, Policy{Name: API, Limit: 1000, Window: 9 * r.unit}}
		many.take("192.0.2.3", "one")
		few := asker{t, r.engine, Policy{Name: Register, Limit: 10, Window: 9 * r.unit}}
		few.take("192.0.2.3", "one")
		th := Throttle{Failures: 1, Window: 9 * r.unit}
		if err := r.engine.Judge(t.Context(), th, "alice", "192.0.2.1", "one", Failed); err != nil {
			t.Fatal(err)
		}
		if r.keys != nil {
			if endless := r.keys(); len(endless) > 0 {
				t.Errorf("keys without an end: got %v, want none", endless)
			}
			return
		}
		r.sleep(streakLife)
		m := r.engine.(*Memory)
		for i := range 1000 { // any use of the shards sweeps them
			_, _ = m.Begin(t.Context(), a.p, fmt.Sprint(i), "x")
			_, _ = m.Commit(t.Context(), a.p, fmt.Sprint(i), "x", Released, "")
		}
		if records, bytes := m.Size(); records != 0 || bytes != 0 {
			t.Errorf("long after: got %d records and %d bytes, want none", records, bytes)
		}
	})
}

// The same attempt, sent again by whoever, counts once.
func TestReplaysCountOnce(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		a.begin("192.0.2.1", "id")
		a.commit("192.0.2.1", "id", Failed, "alice")
		if d := a.commit("192.0.2.1", "id", Failed, "alice"); d.Remaining != 4 {
			t.Errorf("second commit: got remaining %d, want 4", d.Remaining)
		}
		c := asker{t, r.engine, Policy{Name: PasswordReset, Limit: 3, Window: 3 * r.unit}}
		c.take("192.0.2.1", "id")
		if d := c.take("192.0.2.1", "id"); d.Verdict != Allowed || d.Remaining != 2 {
			t.Errorf("second take: got %v, remaining %d; want allowed, 2", d.Verdict, d.Remaining)
		}
	})
}

// LK5, LK16: a lockout trickles nothing back; after it, five fresh attempts.
func TestALockTricklesNothingBack(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		a.fails("192.0.2.1", 5)
		a.wants("192.0.2.1", LockedNow)
		for range 8 {
			r.sleep(r.unit)
			a.wants("192.0.2.1", Locked)
		}
		r.sleep(a.wants("192.0.2.1", Locked).Retry)
		a.fails("192.0.2.1", 5)
		a.wants("192.0.2.1", LockedNow)
	})
}

// LK16: a failure leaves the log a window after it was judged.
func TestFailuresLeaveTheWindow(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		a.fails("192.0.2.1", 2)
		r.sleep(r.unit)
		a.fails("192.0.2.1", 2)
		d := a.begin("192.0.2.1", "look")
		within(t, "reset", d.Reset, 2*r.unit, r.slack)
		a.commit("192.0.2.1", "look", Released, "")
		r.sleep(d.Reset + r.slack)
		if d := a.wants("192.0.2.1", Allowed); d.Remaining != 3 {
			t.Errorf("after the first two left: got remaining %d, want 3", d.Remaining)
		}
		r.sleep(2 * r.unit)
		if d := a.wants("192.0.2.1", Allowed); d.Remaining != 5 || d.Reset != 0 {
			t.Errorf("after all left: got %+v, want 5 remaining and no reset", d)
		}
	})
}

// LK14, LK15.
func TestSuccessForgetsOnlyItsOwnUsersFailures(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		for range 3 { // a user who mistypes is never locked
			for range 3 {
				a.try("192.0.2.1", "alice", Failed)
			}
			if d, judged := a.try("192.0.2.1", "alice", Passed); !judged || d.Remaining != 5 {
				t.Fatalf("own success: got judged %v, remaining %d; want true, 5", judged, d.Remaining)
			}
		}
		for range 4 {
			a.try("192.0.2.1", "victim", Failed)
		}
		if d, judged := a.try("192.0.2.1", "mallory", Passed); !judged || d.Remaining != 1 {
			t.Fatalf("attacker's own success: got judged %v, remaining %d; want true, 1", judged, d.Remaining)
		}
		a.try("192.0.2.1", "victim", Failed)
		a.wants("192.0.2.1", LockedNow)
	})
}

// LK4.
func TestAttemptsDuringALockDoNotProlongIt(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		a.fails("192.0.2.1", 5)
		a.wants("192.0.2.1", LockedNow)
		for i := range 4 {
			r.sleep(r.unit)
			for range 50 {
				within(t, "rest", a.wants("192.0.2.1", Locked).Retry, time.Duration(8-i)*r.unit, r.slack)
			}
		}
	})
}

// LK22, LK23: counted exactly, denied uncounted, and Retry is the truth.
func TestTakeIsExact(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		p := Policy{Name: API, Limit: 20, Window: 4 * r.unit}
		two := [2]engine{r.engine, r.another()}
		var admitted atomic.Int64
		var done sync.WaitGroup
		for i := range 100 {
			done.Go(func() {
				d, err := two[i%2].Take(context.Background(), p, "user:7", rand.Text())
				if err == nil && d.Verdict == Allowed {
					admitted.Add(1)
				}
			})
		}
		done.Wait()
		if admitted.Load() != 20 {
			t.Fatalf("admitted: got %d, want 20", admitted.Load())
		}
		a := asker{t, r.engine, p}
		d := a.take("user:7", "x")
		if d.Verdict != Denied || d.Remaining != 0 || d.Retry <= 0 || d.Retry != d.Reset {
			t.Errorf("over the limit: got %+v", d)
		}
		r.sleep(d.Retry)
		if d := a.take("user:7", "y"); d.Verdict != Allowed {
			t.Errorf("after Retry: got %v, want allowed", d.Verdict)
		}
	})
}

// LK24: no window holds more than the limit, wherever it begins.
func TestNoWindowHoldsMore(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, Policy{Name: API, Limit: 6, Window: 4 * r.unit}}
		take := func(n int) (admitted int) {
			for range n {
				if a.take("user:7", rand.Text()).Verdict == Allowed {
					admitted++
				}
			}
			return admitted
		}
		got := []int{take(2)}
		r.sleep(3 * r.unit)
		got = append(got, take(6)) // 4: the first two still count
		r.sleep(r.unit + r.slack)
		got = append(got, take(6)) // 2: they have left
		for i, want := range []int{2, 4, 2} {
			if got[i] != want {
				t.Errorf("burst %d: got %d admitted, want %d", i, got[i], want)
			}
		}
	})
}

func TestGiveBack(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, Policy{Name: PasswordChange, Limit: 5, Window: 9 * r.unit}}
		a.take("user:7", "kept")
		a.take("user:7", "given back")
		if d := a.commit("user:7", "given back", Released, ""); d.Remaining != 4 {
			t.Errorf("got remaining %d, want 4", d.Remaining)
		}
	})
}

func TestLift(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t, r.engine, r.login()}
		if was, err := r.engine.Lift(t.Context(), a.p, "192.0.2.1"); was || err != nil {
			t.Errorf("nothing to lift: got %v, %v", was, err)
		}
		a.fails("192.0.2.1", 5)
		a.wants("192.0.2.1", LockedNow)
		if was, err := r.engine.Lift(t.Context(), a.p, "192.0.2.1"); !was || err != nil {
			t.Errorf("lift: got %v, %v", was, err)
		}
		a.fails("192.0.2.1", 5)
	})
}

// A policy without a lock denies until the oldest failure leaves.
func TestFailuresWithoutALock(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		p := r.login()
		p.Lock = 0
		a := asker{t, r.engine, p}
		a.fails("192.0.2.1", 5)
		d := a.wants("192.0.2.1", Denied)
		r.sleep(d.Retry)
		a.wants("192.0.2.1", Allowed)
	})
}
