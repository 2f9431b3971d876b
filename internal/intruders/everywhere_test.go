package intruders_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"vitals/internal/intruders"
	"vitals/scenarios"
)

// A profile without a limit on sign-ins promises no lock: no figure of one is asked for
// by itself, and one that is asked for all the same is told why it is absent.
func TestNoLockIsAskedOfWhoPromisedNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := read(t, "", "limit: 5, window: 300s")
		login := p.Operations["login"]
		login.Policy = "none"
		p.Operations["login"] = login
		if got := intruders.Measured([]scenarios.Intruder{guess}, p); slices.Contains(got, "lockout.admitted") || !slices.Contains(got, "intruders.leaked") {
			t.Errorf("got %v, want leaked and no lockout", got)
		}
		attacks, _, _ := assaultIn(t, newDoor(""), p, guess)
		if why := strings.Join(intruders.NotShown(attacks), "\n"); !strings.Contains(why, "promises no limit on sign-ins") {
			t.Errorf("got the reasons %q", why)
		}
	})
}

// The same of who promises only a wait that grows, or a lock that no guessing meets.
func TestNoLockIsAskedWhereNoneCanBeMet(t *testing.T) {
	for _, limit := range []string{"limit: 5, delay: {from: 1s, to: 1m}", "limit: 1000, window: 1h"} {
		got := intruders.Measured([]scenarios.Intruder{guess}, read(t, "", limit))
		if slices.Contains(got, "lockout.admitted") || !slices.Contains(got, "intruders.leaked") {
			t.Errorf("%s: got %v, want leaked and no lockout", limit, got)
		}
		if counted := slices.Contains(got, "intruders.excess"); counted == strings.Contains(limit, "delay") {
			t.Errorf("%s: what is judged beyond it is asked for: %v", limit, counted)
		}
	}
}

// Where the account itself is locked by promise, nobody can be harmed beyond that: the
// figure is not among those that are measured, and a target that asks for it all the same
// is told why.
func TestALockOfTheAccountHarmsNobodyBeyondItsPromise(t *testing.T) {
	for by, want := range map[string]bool{"": true, ", by: pair": true, ", by: account": false, ", by: both": false} {
		synctest.Test(t, func(t *testing.T) {
			p := read(t, "", "limit: 5, window: 300s, lock: 900s"+by)
			if got := slices.Contains(intruders.Measured([]scenarios.Intruder{guess}, p), "intruders.harmed"); got != want {
				t.Errorf("%q: harmed is measured: got %v, want %v", by, got, want)
			}
			if !slices.Contains(intruders.Measured([]scenarios.Intruder{guess, spray}, p), "intruders.harmed") {
				t.Errorf("%q: beside one that sprays: it is not measured", by)
			}
			attacks, facts, _ := assaultIn(t, newDoor(""), p, guess)
			if _, got := facts["intruders.harmed"]; got != want {
				t.Errorf("%q: the figure is there: got %v, want %v", by, got, want)
			}
			if why := strings.Join(intruders.NotShown(attacks), "\n"); strings.Contains(why, "intruders.harmed: the limit on signing in counts by account") == want {
				t.Errorf("%q: got the reasons %q", by, why)
			}
		})
	}
}
