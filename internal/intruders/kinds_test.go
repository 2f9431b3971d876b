package intruders_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vitals/internal/intruders"
	"vitals/scenarios"
)

// The kinds, each as it is let loose here.
var (
	spray = scenarios.Intruder{Name: "sprayer", Kind: scenarios.PasswordSpraying, Addresses: 10, Accounts: 2, UnknownAccounts: 3, Rate: 50, During: "attacked"}
	few   = scenarios.Intruder{Name: "botnet", Kind: scenarios.PasswordSpraying, Addresses: 300, Guesses: 4, Accounts: 1, Rate: 100, For: 20 * time.Second} // LK29
	spoof = scenarios.Intruder{Name: "forger", Kind: scenarios.HeaderSpoofing, Addresses: 2, Guesses: 8, Every: time.Second}
	codes = scenarios.Intruder{Name: "coder", Kind: scenarios.CodeGuessing, Addresses: 2, Guesses: 12, Every: time.Second}
	reuse = scenarios.Intruder{Name: "replayer", Kind: scenarios.TokenReplay, Addresses: 2, Rounds: 2, Every: time.Second}
)

// Every kind against a door that is well, and against each that is broken in a
// way which the kind is there to see.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		in     scenarios.Intruder
		fault  string
		want   map[string]float64 // facts that are not 0
		none   []string           // facts that are not there
		told   string             // words that are told
		forged bool               // told: that client addresses were forged, and what came of it
	}{
		{in: spray},
		{in: spray, fault: "full"},
		{in: spray, fault: "widened", want: map[string]float64{"intruders.excess": 1}},
		{in: spray, fault: "global", want: map[string]float64{"intruders.harmed": 2}}, // one lock for all: the owners at home feel it
		{in: spray, fault: "account lock"},                                            // with 15 wrong passwords at each account there is none yet
		{in: few, fault: ""},
		{in: few, fault: "account lock", want: map[string]float64{"intruders.harmed": 1}},
		{in: spray, fault: "sieve", want: map[string]float64{"intruders.leaked": 568, "intruders.excess": 57}},
		{in: spray, fault: "open", want: map[string]float64{"intruders.leaked": 50}},
		{in: spray, fault: "disguised", want: map[string]float64{"intruders.wrong": 50}},
		{in: spray, fault: "crashing", want: map[string]float64{"intruders.wrong": 1500}, none: []string{"intruders.leaked", "intruders.excess"}},
		{in: spray, fault: "unwell", none: []string{"intruders.leaked", "intruders.excess", "intruders.harmed"}},

		{in: spoof},
		{in: spoof, fault: "gullible", want: map[string]float64{"intruders.excess": 5, "intruders.leaked": 2, "lockout.admitted": 10, "lockout.leaked": 2}, forged: true},
		{in: spoof, fault: "gullible of a CDN", want: map[string]float64{"intruders.excess": 5, "intruders.leaked": 2, "lockout.admitted": 10, "lockout.leaked": 2}, forged: true},

		{in: codes},
		{in: codes, fault: "codes", want: map[string]float64{"intruders.excess": 4, "intruders.leaked": 2}},
		{in: codes, fault: "failure inside", want: map[string]float64{"intruders.excess": 4, "intruders.leaked": 30}},

		{in: reuse},
		{in: reuse, fault: "replay", want: map[string]float64{"intruders.leaked": 8}, told: "8 served; a refresh token used before: 4 times; the refresh token that a used one was exchanged for: 4 times"},
		{in: reuse, fault: "family lives", want: map[string]float64{"intruders.leaked": 4}, told: "4 served; the refresh token that a used one was exchanged for: 4 times"},
		{in: reuse, fault: "undead", want: map[string]float64{"intruders.leaked": 12}},
		{in: reuse, fault: "stateless", want: map[string]float64{"intruders.leaked": 4}, told: "4 served; an access token after signing out: 4 times"},
		{in: reuse, fault: "unwell", none: []string{"intruders.leaked", "intruders.wrong"}},
	} {
		t.Run(c.in.Kind+"/"+c.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attacks, facts, samples := assault(t, newDoor(c.fault), c.in)
				for name, f := range facts {
					usual := map[string]float64{"lockout.admitted": 5, "lockout.retry_after": 900}[name]
					if want, ok := c.want[name]; ok {
						usual = want
					}
					if f.Value != usual {
						t.Errorf("%s: got %g (n %d), want %g", name, f.Value, f.N, usual)
					}
				}
				for name := range c.want {
					if _, ok := facts[name]; !ok {
						t.Errorf("%s is not there", name)
					}
				}
				for _, name := range c.none {
					if f, ok := facts[name]; ok {
						t.Errorf("%s: got %g, want no data", name, f.Value)
					}
				}
				if c.fault == "" && len(facts) < 4 && c.in.Kind != scenarios.TokenReplay {
					t.Errorf("got only the facts %v", facts)
				}
				for _, s := range samples {
					if secret := regexp.MustCompile(`(right|access|refresh|challenge)-\w+`).FindString(s.RequestID); secret != "" {
						t.Errorf("step %d: the request ID that is kept holds %q", s.Step, secret)
					}
					if c.fault == "" && !s.OK {
						t.Errorf("step %d, status %d at %s: not as expected of a good door", s.Step, s.Code, s.Due)
					}
				}
				told := strings.Join(intruders.Told(attacks), "\n")
				if strings.Contains(told, "CF-Connecting-IP") != c.forged || c.forged && !strings.Contains(told, "from one address, 5 more were judged than the limit admits") {
					t.Errorf("told %q, want the forged headers: %v", told, c.forged)
				}
				if note := facts["intruders.leaked"].Note; c.told != "" && !strings.HasSuffix(c.told, "; "+note) {
					t.Errorf("leaked is noted %q, want it as it is told: %q", note, c.told)
				}
				if !strings.Contains(told, c.in.Name) || !strings.Contains(told, c.told) || strings.Contains(told, "right-") {
					t.Errorf("told: %q, want %q", told, c.told)
				}
				t.Log(told)
			})
		})
	}
}
