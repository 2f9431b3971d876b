package load

import (
	"fmt"
	"strings"
	"time"
)

// noAccount ends a run: going on would send requests that the system's limits turn
// away, and call that a result. It says what became of all accounts. The caller
// holds the lock.
func (s *Sessions) noAccount(now time.Time, budget, need int) error {
	var refused, spent, used int
	for _, a := range s.all {
		switch {
		case a.bad:
			refused++
		case !a.has(now, budget, need):
			spent++
		default:
			used++
		}
	}
	var why []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{refused, "could not sign in"},
		{spent, fmt.Sprintf("made the %d requests that one may make in an hour", budget)},
		{used, "in use by as many users as may share one"},
	} {
		if c.n > 0 {
			why = append(why, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(why) == 0 {
		return fmt.Errorf("%w: there is none to sign in as", errNoAccount)
	}
	advice := "give more accounts, or lower the load"
	if spent+used == 0 {
		advice = "more accounts would not help: see why sign-in is refused"
	}
	return fmt.Errorf("%w: of %d, %s; %s", errNoAccount, len(s.all), strings.Join(why, ", "), advice)
}

// none is why there is no account.
func (s *Sessions) none(now time.Time, budget int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.noAccount(now, budget, 1)
}
