package limitcheck_test

import (
	"net/netip"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

// A lock whose refusals do not say how long it lasts, and that is shorter than the
// window, may have emptied the count when it ended: what is judged then is not held
// against what was judged before. Within the lock it is.
func TestALockThatIsNotTold(t *testing.T) {
	rule := limitcheck.Rule{Limit: 5, Window: time.Minute, Lock: 10 * time.Second, Failures: true, Silent: true}
	play := func(pause time.Duration) (rules []string) {
		c := limitcheck.New(map[string]limitcheck.Rule{"login": rule}, limitcheck.Options{})
		at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
		guess := func(status int) {
			c.Add(limitcheck.Event{Sent: at, Done: at.Add(40 * time.Millisecond), From: netip.MustParseAddr("127.0.0.9"), User: "a", Policy: "login",
				Status: status, Limit: -1, Remaining: -1, RetryAfter: -1})
			at = at.Add(100 * time.Millisecond)
		}
		for _, status := range []int{401, 401, 401, 401, 401, 429, 429} {
			guess(status)
		}
		at = at.Add(pause)
		for _, status := range []int{401, 401, 401, 401, 401, 429} {
			guess(status)
		}
		for _, v := range c.Finish() {
			rules = append(rules, v.Rule)
		}
		return rules
	}
	if got := play(11 * time.Second); len(got) > 0 {
		t.Errorf("after the lock: got %v, want nothing", got)
	}
	if got := play(0); len(got) == 0 || got[0] != "J1" {
		t.Errorf("within the lock: got %v, want J1", got)
	}
}
