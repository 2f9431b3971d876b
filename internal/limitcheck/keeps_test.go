package limitcheck_test

import (
	"net/netip"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

// Where a success is promised to clear nothing, failures before it earn the refusal, and
// one more that is judged is too many; where it clears them, the refusal is unearned.
func TestASuccessThatClearsNothing(t *testing.T) {
	play := func(kept bool, statuses ...int) (rules []string) {
		rule := login
		rule.Kept, rule.Clears = kept, !kept
		c := limitcheck.New(map[string]limitcheck.Rule{"login": rule}, limitcheck.Options{})
		at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
		for _, status := range statuses {
			e := limitcheck.Event{Sent: at, Done: at.Add(40 * time.Millisecond), From: netip.MustParseAddr("127.0.0.9"), User: "a", Policy: "login",
				Status: status, Limit: -1, Remaining: -1, RetryAfter: -1}
			if status == 429 {
				e.RetryAfter = 900
			}
			c.Add(e)
			at = at.Add(time.Second)
		}
		for _, v := range c.Finish() {
			rules = append(rules, v.Rule)
		}
		return rules
	}
	early, late := []int{401, 401, 401, 401, 200, 401, 429}, []int{401, 401, 401, 401, 200, 401, 401, 429}
	if got := play(true, early...); len(got) > 0 {
		t.Errorf("kept, refused after five: got %v, want nothing", got)
	}
	if got := play(true, late...); len(got) != 1 || got[0] != "J1" {
		t.Errorf("kept, six judged: got %v, want J1", got)
	}
	if got := play(false, early...); len(got) != 1 || got[0] != "J4" {
		t.Errorf("cleared, refused all the same: got %v, want J4", got)
	}
}
