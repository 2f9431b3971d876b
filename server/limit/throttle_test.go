package limit

import (
	"crypto/rand"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func (a asker) admit(th Throttle, account string) time.Duration {
	a.t.Helper()
	d, err := a.e.(Accounts).Admit(a.t.Context(), th, account)
	if err != nil {
		a.t.Fatalf("admit: %v", err)
	}
	return d
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
				break // no test waits half a minute in earnest
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
			g.ThrottleFail(ctx, "alice@clinic.test")
		}
		ctx, h := from(t.Context(), "192.0.2.1")
		if err := g.Throttle(ctx, "alice@clinic.test", true); err != nil {
			t.Errorf("known: got %v, want none", err)
		}
		p := problemOf(t, g.Throttle(ctx, " ALICE@clinic.test", false))
		if p.Status != 429 || p.Code != "locked_out" || p.RetryAfter != 900 || h.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("unknown: got %d %s, retry after %d, remaining %s", p.Status, p.Code, p.RetryAfter, h.Get("X-RateLimit-Remaining"))
		}
		g.ThrottleReset(ctx, "alice@clinic.test")
		if err := g.Throttle(ctx, "alice@clinic.test", false); err != nil {
			t.Errorf("after a reset: got %v, want none", err)
		}
	})
}
