package intruders_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/intruders"
	"vitals/internal/profile"
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
		if !slices.Contains(got, "intruders.excess") {
			t.Errorf("%s: what is judged beyond it is not asked for", limit)
		}
		got = intruders.Measured([]scenarios.Intruder{spray}, read(t, "", limit))
		if counted := slices.Contains(got, "intruders.excess"); counted == strings.Contains(limit, "delay") {
			t.Errorf("%s: what a sprayer has judged beyond it is asked for: %v", limit, counted)
		}
	}
}

// Of an API that no profile is known of, nobody knows whether it locks, by what, and for
// how long: what its answers say themselves is all that it is held to.
func TestWithoutAProfileNoLockIsPromised(t *testing.T) {
	untold := func(time.Time) string { return "" }
	for _, c := range []struct {
		fault    string
		wait     func(time.Time) string
		leaked   float64
		admitted float64
	}{
		{"no lock", nil, 0, 10},
		{"", nil, 0, 5},
		{"by account", nil, 0, 5},
		{"by account, narrowed", nil, 0, 3},
		{"by pair", nil, 0, 5},
		{"sieve", untold, 0, 7},
		{"oracle", untold, 0, 5},
		{"oracle", nil, 2, 5}, // let in before its own Retry-After was over
		{"open", nil, 10, 5},
	} {
		t.Run(fmt.Sprint(c.fault, c.wait != nil), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor(c.fault)
				d.wait = c.wait
				attacks, facts, _ := assaultIn(t, d, nil, guess)
				if got := facts["intruders.leaked"]; got.Value != c.leaked || got.N == 0 {
					t.Errorf("leaked: got %g of %d, want %g: %q", got.Value, got.N, c.leaked, intruders.NotShown(attacks))
				}
				if got := facts["lockout.admitted"].Value; got != c.admitted {
					t.Errorf("admitted: got %g, want %g", got, c.admitted)
				}
				if _, ok := facts["lockout.leaked"]; ok && c.fault == "no lock" {
					t.Error("what leaked of a lock that was not met is told")
				}
			})
		})
		t.Run(fmt.Sprint("sprayed ", c.fault, c.wait != nil), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor(c.fault)
				d.wait = c.wait
				attacks, facts, _ := assaultIn(t, d, nil, spray)
				if got := facts["intruders.leaked"]; got.Value > 0 != (c.fault == "open") || got.N == 0 {
					t.Errorf("leaked: got %g of %d: %q", got.Value, got.N, intruders.NotShown(attacks))
				}
			})
		})
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

// A wait that grows is kept, or is not: guesses that are judged before it is over are told,
// and so is the right password that is let in amid it.
func TestAWaitThatGrowsIsHeldTo(t *testing.T) {
	for fault, want := range map[string]map[string]float64{
		"waits": {}, "waits from the account": {}, "waits for nobody": {"intruders.excess": 4}, "waits but for the right one": {"intruders.leaked": 2},
	} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attacks, facts, _ := assaultIn(t, newDoor(fault), read(t, "", "limit: 3, delay: {from: 8s, to: 1m}, counts: failures"), guess)
				if diff := cmp.Diff(values(facts), want); diff != "" || facts["intruders.excess"].N == 0 {
					t.Errorf("facts (-got +want):\n%s%v\n%s", diff, facts, intruders.Told(attacks))
				}
			})
		})
	}
}

// A count of codes that is kept by challenge begins anew with each, whatever limit it has.
func TestCodesAreGuessedWithAnotherChallenge(t *testing.T) {
	text := strings.Replace(words, "2fa_verify: {limit: 10,", "2fa_verify: {limit: 4,", 1)
	p, err := profile.Read(strings.NewReader(text), "door.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for fault, want := range map[string]map[string]float64{
		"4 codes": {}, "4 codes by challenge": {"intruders.excess": 2, "intruders.leaked": 6},
	} {
		synctest.Test(t, func(t *testing.T) {
			attacks, facts, _ := assaultIn(t, newDoor(fault), p, codes)
			if diff := cmp.Diff(values(facts), want); diff != "" || len(facts) < 3 {
				t.Errorf("%s: facts (-got +want):\n%s%v\n%s", fault, diff, facts, intruders.Told(attacks))
			}
		})
	}
}

// Fewer guesses than the limit are made up for, and of who promises no limit on codes
// nothing is asked but that no wrong one is let in.
func TestTheRightCodeIsAskedForInALockAlone(t *testing.T) {
	few := codes
	few.Guesses = 3
	for policy, want := range map[string]bool{"policy: 2fa_verify": true, "policy: none": false} {
		synctest.Test(t, func(t *testing.T) {
			p, err := profile.Read(strings.NewReader(strings.Replace(words, "policy: 2fa_verify", policy, 1)), "door.yaml")
			if err != nil {
				t.Fatal(err)
			}
			attacks, facts, _ := assaultIn(t, newDoor(""), p, few)
			if diff := cmp.Diff(values(facts), map[string]float64{}); diff != "" || facts["intruders.leaked"].N == 0 {
				t.Errorf("%s: facts (-got +want):\n%s%v", policy, diff, facts)
			}
			if asked := attacks[0].Knowing > 0; asked != want {
				t.Errorf("%s: the right code was tried in a lock: %v, want %v", policy, asked, want)
			}
		})
	}
}
