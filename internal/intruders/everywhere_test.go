package intruders_test

import (
	"fmt"
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
			for _, in := range []scenarios.Intruder{guess, spray} {
				if got := slices.Contains(intruders.Measured([]scenarios.Intruder{in}, p), "intruders.harmed"); got != want {
					t.Errorf("%q: %s: harmed is measured: got %v, want %v", by, in.Kind, got, want)
				}
				attacks, facts, _ := assaultIn(t, newDoor(""), p, in)
				if _, got := facts["intruders.harmed"]; got != want {
					t.Errorf("%q: %s: the figure is there: got %v, want %v", by, in.Kind, got, want)
				}
				if why := strings.Join(intruders.NotShown(attacks), "\n"); strings.Contains(why, "intruders.harmed: the limit that was attacked counts by account") == want {
					t.Errorf("%q: %s: got the reasons %q", by, in.Kind, why)
				}
			}
		})
	}
}

// A sprayer's guesses are counted as the limit counts them: what an address may guess at
// many accounts is no excess where the account is counted, and the seventh guess at one
// account is, from wherever it comes.
func TestSprayingIsCountedAsTheLimitCounts(t *testing.T) {
	for _, c := range []struct {
		by, fault string
		unknown   int
		excess    float64
	}{
		{"account", "by account", 3, 0},
		{"account", "by account", 0, 0},
		{"account", "by account, widened", 3, 1},
		{"account", "by pair", 3, 5}, // five from each of the two addresses
		{"pair", "by pair", 3, 0},
		{"pair", "by pair, widened", 0, 1},
		{"address", "", 3, 0},
		{"address", "by pair", 0, 5},
		{"both", "widened", 0, 1},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := spray
				in.Addresses, in.UnknownAccounts = 2, c.unknown
				attacks, facts, _ := assaultIn(t, newDoor(c.fault), read(t, "", "limit: 5, window: 300s, lock: 900s, by: "+c.by), in)
				f, ok := facts["intruders.excess"]
				if !ok || f.Value != c.excess || facts["intruders.leaked"].Value != 0 {
					t.Errorf("got excess %g (%v), leaked %g, want %g and 0: %q", f.Value, ok, facts["intruders.leaked"].Value, c.excess, intruders.NotShown(attacks))
				}
			})
		})
	}
}

// Whose lock it is, is said where its figure stands.
func TestAdmittedNamesWhoseLockItIs(t *testing.T) {
	for by, want := range map[string]string{"": "worst of 2 addresses", ", by: account": "worst of 2 accounts"} {
		synctest.Test(t, func(t *testing.T) {
			_, facts, _ := assaultIn(t, newDoor(""), read(t, "", "limit: 5, window: 300s, lock: 900s"+by), guess)
			if note := facts["lockout.admitted"].Note; !strings.HasPrefix(note, want) {
				t.Errorf("%q: noted %q, want %s", by, note, want)
			}
		})
	}
}
