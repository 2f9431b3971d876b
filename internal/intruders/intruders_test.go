package intruders_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"vitals/internal/intruders"
	"vitals/internal/measure"
	"vitals/scenarios"
)

func attack(t *testing.T, fault string, atOnce bool) ([]intruders.Attack, map[string]measure.Fact, []measure.Sample) {
	t.Helper()
	return assault(t, newDoor(fault), scenarios.Intruder{Name: "guesser", Kind: scenarios.PasswordGuessing, Addresses: 2, Guesses: 8, AtOnce: atOnce})
}

func TestOracle(t *testing.T) { synctest.Test(t, testOracle) }

func testOracle(t *testing.T) {
	for _, c := range []struct {
		fault                        string
		atOnce                       bool
		admitted, leaked, bystanders float64
		absent                       bool
	}{
		{fault: "", admitted: 5},
		{fault: "", atOnce: true, admitted: 5},
		{fault: "widened", admitted: 6},
		{fault: "widened", atOnce: true, admitted: 6},
		{fault: "racy", atOnce: true, admitted: 8},
		{fault: "oracle", admitted: 5, leaked: 2},
		{fault: "unwell", absent: true},
	} {
		_, facts, _ := attack(t, c.fault, c.atOnce)
		if c.absent {
			if len(facts) != 0 {
				t.Errorf("%s: got facts %v from a server that judged nothing, want none", c.fault, facts)
			}
			continue
		}
		for name, want := range map[string]float64{
			"lockout.admitted": c.admitted, "lockout.leaked": c.leaked, "lockout.bystanders": c.bystanders,
		} {
			if got, ok := facts[name]; !ok || got.Value != want {
				t.Errorf("%q at once %v: %s: got %v (there: %v), want %v", c.fault, c.atOnce, name, got.Value, ok, want)
			}
		}
		if got := facts["lockout.retry_after"].Value; got != 900 {
			t.Errorf("%q: retry_after: got %v s, want 900", c.fault, got)
		}
	}
}

// One counter for the whole world locks out the attacked person elsewhere too.
func TestOracleSeesHarmedBystanders(t *testing.T) {
	_, facts, _ := attack(t, "global", false)
	if got := facts["lockout.bystanders"].Value; got < 1 {
		t.Errorf("bystanders: got %v, want at least 1", got)
	}
}

// A lock that lets some guesses through after it began is a leak even when the
// first refusal came at the right place.
func TestOracleSeesGuessesAfterTheLock(t *testing.T) {
	_, facts, _ := attack(t, "sieve", false)
	if got := facts["lockout.leaked"].Value; got < 1 {
		t.Errorf("leaked: got %v, want at least 1", got)
	}
}

func TestSamplesCarryTheirIntent(t *testing.T) {
	_, _, samples := attack(t, "", false)
	for _, s := range samples {
		if !s.OK {
			t.Errorf("step %d, status %d: not as expected on a correct lockout", s.Step, s.Code)
		}
		if (s.Code == http.StatusTooManyRequests) != (s.Outcome == measure.Refused) {
			t.Errorf("status %d recorded as outcome %v", s.Code, s.Outcome)
		}
	}
	_, _, samples = attack(t, "oracle", false)
	bad := 0
	for _, s := range samples {
		if !s.OK {
			bad++
		}
	}
	if bad != 2 {
		t.Errorf("a 200 where a 429 was due, twice: got %d unexpected samples, want 2", bad)
	}
}

func TestTroublesNameWhatProvesNothing(t *testing.T) { synctest.Test(t, testTroubles) }

func testTroubles(t *testing.T) {
	attacks, _, _ := attack(t, "unwell", false)
	if got := len(intruders.Told(attacks)); got != 2 {
		t.Errorf("got %d troubles, want 2", got)
	}
}

// A server that sheds some sign-ins is asked again: its lockout is judged all
// the same.
func TestSheddingIsWaitedOut(t *testing.T) { synctest.Test(t, testShedding) }

func testShedding(t *testing.T) {
	_, facts, _ := attack(t, "shedding", false)
	exact(t, facts)
	_, facts, _ = attack(t, "shedding", true)
	exact(t, facts)
}

// A 429 of a full queue is no lock, and none of the guesses it turned away counts.
func TestAFullQueueIsNoLock(t *testing.T) { synctest.Test(t, testFullQueue) }

func testFullQueue(t *testing.T) {
	_, facts, _ := attack(t, "full", true)
	exact(t, facts)
}

func exact(t *testing.T, facts map[string]measure.Fact) {
	t.Helper()
	for name, want := range map[string]float64{"lockout.admitted": 5, "lockout.leaked": 0, "lockout.bystanders": 0} {
		if got, ok := facts[name]; !ok || got.Value != want {
			t.Errorf("%s: got %v (there: %v), want %v", name, got.Value, ok, want)
		}
	}
}

// A burst that was released too slowly still counts its guesses, and says that
// it shows nothing about guesses at the same time.
func TestASlowBurstIsNoBurst(t *testing.T) {
	attacks, facts, _ := attack(t, "slow burst", true)
	exact(t, facts)
	troubles := intruders.Told(attacks)
	if len(troubles) != 2 || !strings.Contains(troubles[0], "at the same time") {
		t.Errorf("got troubles %q, want one for each burst", troubles)
	}
}
