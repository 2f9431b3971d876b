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

// admit asks, and gives the slot back at once.
func (a asker) admit(th Throttle, account string) time.Duration {
	a.t.Helper()
	id := rand.Text()
	d, err := a.e.(Accounts).Admit(a.t.Context(), th, account, id)
	if err == nil && d == 0 {
		err = a.e.(Accounts).Judge(a.t.Context(), th, account, "", id, Released)
	}
	if err != nil {
		a.t.Fatalf("admit: %v", err)
	}
	return d
}

// throttle asks the gate, and gives the slot back at once.
func throttle(ctx context.Context, g *Gate, account string, known bool) error {
	a, err := g.EnterAccount(ctx, account, known)
	if err == nil {
		a.Release(ctx)
	}
	return err
}

// Many addresses guess at one account at once, over two instances: as many are
// judged as if they came one after the other.
func TestParallelGuessesAtAnAccount(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		th := Throttle{Failures: 20, Window: 24 * time.Hour}
		two := [2]Accounts{r.engine.(Accounts), r.another().(Accounts)}
		for round := range r.rounds {
			account := fmt.Sprint("account-", round)
			var judged, wrong atomic.Int64
			var start, all sync.WaitGroup
			start.Add(1)
			for i := range max(r.crowd, 60) {
				all.Go(func() {
					start.Wait()
					id, a := rand.Text(), two[i%2]
					for range 3 { // as one that comes back after its Retry-After would
						wait, err := a.Admit(context.Background(), th, account, id)
						switch {
						case err != nil:
							wrong.Add(1)
							return
						case wait > 0:
							time.Sleep(5 * time.Millisecond)
							continue
						}
						judged.Add(1)
						time.Sleep(time.Millisecond) // the hash
						if err := a.Judge(context.Background(), th, account, fmt.Sprint("198.51.100.", i), id, Failed); err != nil {
							wrong.Add(1)
						}
						return
					}
				})
			}
			start.Done()
			all.Wait()
			if judged.Load() != 20 || wrong.Load() != 0 {
				t.Errorf("round %d: got %d judged, %d errors, want 20 judged", round, judged.Load(), wrong.Load())
			}
		}
	})
}

// A slot that is given back is free for the next; one that is never given back is
// free when its lease ends.
func TestSlotsOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, th := NewMemory(time.Minute, 0), Throttle{Failures: 2, Window: time.Hour}
		admit := func(id string, want time.Duration) {
			t.Helper()
			if got, _ := m.Admit(t.Context(), th, "alice", id); got != want {
				t.Errorf("%s: got a wait of %v, want %v", id, got, want)
			}
		}
		admit("a", 0)
		admit("a", 0) // the same one
		admit("b", 0)
		admit("c", busyWait)
		_ = m.Judge(t.Context(), th, "alice", "192.0.2.1", "a", Released)
		admit("c", 0)
		time.Sleep(time.Minute)
		admit("d", 0)
	})
}

func (a asker) judge(th Throttle, account, from string, o Outcome) {
	a.t.Helper()
	if err := a.e.(Accounts).Judge(a.t.Context(), th, account, from, rand.Text(), o); err != nil {
		a.t.Fatalf("judge: %v", err)
	}
}

// The waits are fixed in seconds, so a real server shows only their start.
func TestThrottleWaits(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t: t, e: r.engine}
		th := Throttle{Failures: 20, Window: 24 * time.Hour}
		for i := range 20 {
			if got := a.admit(th, "alice"); got != 0 {
				t.Fatalf("after %d failures: got a wait of %v, want none", i, got)
			}
			a.judge(th, "alice", fmt.Sprint("198.51.100.", i), Failed)
		}
		for _, want := range []time.Duration{30, 60, 120, 240, 480, 900, 900} {
			within(t, "wait", a.admit(th, "alice"), want*time.Second, r.slack+time.Second/10)
			if r.unit < time.Second {
				break // no test waits half a minute of real time
			}
			r.sleep(want * time.Second)
			if got := a.admit(th, "alice"); got != 0 {
				t.Errorf("after the wait: got %v, want admitted", got)
			}
			if got := a.admit(th, "alice"); got == 0 {
				t.Error("a second one at once: got admitted, want one per wait")
			}
			a.judge(th, "alice", "203.0.113.1", Failed)
		}
		if got := a.admit(th, "bob"); got != 0 {
			t.Errorf("another account: got %v, want none", got)
		}
	})
}

func TestThrottleSuccess(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t: t, e: r.engine}
		th := Throttle{Failures: 4, Window: 24 * time.Hour}
		for range 3 {
			a.judge(th, "alice", "192.0.2.1", Failed) // the owner mistypes
			a.judge(th, "alice", "198.51.100.1", Failed)
		}
		a.judge(th, "alice", "192.0.2.1", Passed)
		if got := a.admit(th, "alice"); got != 0 {
			t.Errorf("three failures of others: got %v, want none", got)
		}
		a.judge(th, "alice", "198.51.100.1", Failed)
		if got := a.admit(th, "alice"); got == 0 {
			t.Error("four of others: got admitted; the owner's success must not clear an attacker's failures")
		}
		a.judge(th, "alice", "", Passed)
		if got := a.admit(th, "alice"); got != 0 {
			t.Errorf("after a reset: got %v, want none", got)
		}
	})
}

// NIST SP 800-63B: at most 100 in a row, however slowly.
func TestThrottleStreak(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		a := asker{t: t, e: r.engine}
		th := Throttle{Failures: 200, Window: 2 * time.Millisecond} // so that only the streak counts
		for i := range 100 {
			if got := a.admit(th, "alice"); got != 0 {
				t.Fatalf("after %d: got %v, want none", i, got)
			}
			a.judge(th, "alice", "198.51.100.1", Failed)
		}
		r.sleep(time.Second)
		if got := a.admit(th, "alice"); got != lastWait {
			t.Errorf("after 100 in a row: got %v, want %v", got, lastWait)
		}
		a.judge(th, "alice", "192.0.2.1", Passed)
		if got := a.admit(th, "alice"); got != 0 {
			t.Errorf("after a success: got %v, want none", got)
		}
	})
}

// LK29: the owner's known address passes, whoever else knocks.
func TestThrottleLetsKnownAddressesPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		for i := range 300 {
			ctx, _ := from(t.Context(), fmt.Sprintf("198.51.%d.%d", i/200, i%200))
			g.Account("alice@clinic.test").Fail(ctx)
		}
		ctx, h := from(t.Context(), "192.0.2.1")
		if err := throttle(ctx, g, "alice@clinic.test", true); err != nil {
			t.Errorf("known: got %v, want none", err)
		}
		p := problemOf(t, throttle(ctx, g, " ALICE@clinic.test", false))
		if p.Status != 429 || p.Code != "locked_out" || p.RetryAfter != 900 || h.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("unknown: got %d %s, retry after %d, remaining %s", p.Status, p.Code, p.RetryAfter, h.Get("X-RateLimit-Remaining"))
		}
		g.ResetAccount(ctx, "alice@clinic.test")
		if err := throttle(ctx, g, "alice@clinic.test", false); err != nil {
			t.Errorf("after a reset: got %v, want none", err)
		}
	})
}
