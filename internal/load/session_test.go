package load

import (
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

func carry(t *testing.T, sc *scenarios.Scenario, opt Options) (*Outcome, map[string]measure.Counts) {
	t.Helper()
	rec := record(sc)
	o, err := Run(t.Context(), sc, rec, opt)
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]measure.Counts{}
	for _, s := range rec.Finish().Phases[0].Steps {
		steps[s.Step.Name] = s.Counts
	}
	return o, steps
}

// An account moves on before the limit is met: at the production limits not one
// request is refused.
func TestAccountsRotateBeforeTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name  string
		load  scenarios.Load
		share int
	}{
		{"users", constant(scenarios.Users, 6, 700*time.Millisecond), 1},
		{"users who share", constant(scenarios.Users, 6, 700*time.Millisecond), 3},
		{"arrivals", constant(scenarios.Arrivals, 200, 700*time.Millisecond), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t, &clinic{limit: 10})
			tt.load.Share = tt.share
			sc := patients(tt.load, 20*time.Millisecond, 10)
			o, steps := carry(t, sc, Options{Base: c.base, Accounts: accounts(100), Seed: 3})
			if c.refused != 0 || c.stale != 0 {
				t.Errorf("got %d requests past the limit and %d with a dead token, want none", c.refused, c.stale)
			}
			if o.EndedEarly != "" || len(c.signIns) < 5 || c.signOuts == 0 {
				t.Errorf("got %d accounts used and %d signed out, ended %q, want several in turn", len(c.signIns), c.signOuts, o.EndedEarly)
			}
			// One that was due only after the last phase is in the run, in no phase.
			if n := int(steps["sign in"].Sent); n > len(c.signIns) || n < len(c.signIns)-3 || o.SignedIn != len(c.signIns) {
				t.Errorf("got %d sign-ins recorded and %d in the outcome, the server saw %d", n, o.SignedIn, len(c.signIns))
			}
			for name, s := range steps {
				if s.Sent != s.Served || s.Planned != s.Sent {
					t.Errorf("%s: got %+v, want all planned, sent and served", name, s)
				}
			}
			for email, n := range c.signIns {
				if n > 1 {
					t.Errorf("%s: got %d sign-ins, want 1: it has to rest for an hour", email, n)
				}
			}
		})
	}
}

func TestAccountsUsedUpEndTheRun(t *testing.T) {
	c := newClinic(t, &clinic{limit: 10})
	o, _ := carry(t, patients(constant(scenarios.Users, 3, 5*time.Second), time.Millisecond, 10), Options{Base: c.base, Accounts: accounts(3)})
	if !strings.Contains(o.EndedEarly, "made the 10 requests that one may make in an hour") || !strings.Contains(o.EndedEarly, "; give more accounts") || !o.Partial || o.Took > 3*time.Second {
		t.Errorf("got ended %q after %s, want an early end for want of accounts", o.EndedEarly, o.Took)
	}
	if c.refused != 0 {
		t.Errorf("got %d requests past the limit, want none", c.refused)
	}
}

// Signed in before the load, kept for the next scenario.
func TestSessionsAreKept(t *testing.T) {
	c := newClinic(t, &clinic{})
	l := constant(scenarios.Users, 8, 200*time.Millisecond)
	l.SignIn, l.Share = scenarios.Before, 2
	sessions := NewSessions(accounts(20))
	told := 0
	opt := Options{Base: c.base, Sessions: sessions, SigningIn: func(done, of int) { told = of }}
	for round, want := range []int{5, 0} { // a place for 8 users at 2 each, and a fifth to spare
		o, steps := carry(t, patients(l, 20*time.Millisecond, 0), opt)
		if o.SignedIn != want || sessions.Live() != 5 || told != 5 {
			t.Errorf("round %d: got %d signed in, %d live, told of %d, want %d, 5 and 5", round, o.SignedIn, sessions.Live(), told, want)
		}
		if steps["sign in"].Sent != 0 || steps["list"].Sent == 0 {
			t.Errorf("round %d: got %+v, want no sign-in inside the window", round, steps)
		}
	}
}

func TestAnAccountThatCannotSignInIsNamed(t *testing.T) {
	c := newClinic(t, &clinic{broken: "p002@clinic.test"})
	l := constant(scenarios.Users, 5, time.Second)
	l.SignIn = scenarios.Before
	sc := patients(l, 0, 0)
	o, err := Run(t.Context(), sc, record(sc), Options{Base: c.base, Accounts: accounts(6)})
	if err != nil || !strings.Contains(o.EndedEarly, "account 3 of 6") || !strings.Contains(o.EndedEarly, "401") ||
		!strings.Contains(o.EndedEarly, "invalid_credentials") || !strings.Contains(o.EndedEarly, "those of this deployment?): {") {
		t.Errorf("got %+v, %v, want the account's row, status and code", o, err)
	}
	if strings.Contains(o.EndedEarly, "pass word") {
		t.Errorf("got the password: %v", o.EndedEarly)
	}
}

// A server that lets nobody sign in turned its users away: the generator is not at
// fault for what they could not send, and the words say what came.
func TestUsersWhoCannotSignInAreTheSystemsDoing(t *testing.T) {
	base, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":"locked"}`)
	})
	for _, model := range []scenarios.Model{scenarios.Users, scenarios.Arrivals} {
		o, _ := carry(t, patients(constant(model, 3, time.Second), 50*time.Millisecond, 0), Options{Base: base, Accounts: accounts(3)})
		if strings.Contains(strings.Join(o.Health.Invalid, " "), measure.CauseUnsent) {
			t.Errorf("%s: got %q, want the generator not accused", model, o.Health.Invalid)
		}
		if words := strings.Join(o.Health.Away, " "); !strings.Contains(words, "could not sign in: want any 2xx, got 429") {
			t.Errorf("%s: got %q, want what kept the users out", model, words)
		}
	}
}

// Where every sign-in was refused, more accounts are no advice; what came is told.
func TestRefusedSignInsAreNotALackOfAccounts(t *testing.T) {
	base, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	})
	o, _ := carry(t, patients(constant(scenarios.Users, 2, 3*time.Second), 20*time.Millisecond, 0), Options{Base: base, Accounts: accounts(2)})
	if o.EndedBy != measure.NoAccount || !strings.Contains(o.EndedEarly, "of 2, 2 could not sign in; more accounts would not help") ||
		!strings.Contains(o.EndedEarly, "want any 2xx, got 401") || strings.Contains(o.EndedEarly, "give more accounts") {
		t.Errorf("got the end %q", o.EndedEarly)
	}
}

func TestTokensAreRefreshed(t *testing.T) {
	c := newClinic(t, &clinic{expires: renewBefore + 150*time.Millisecond})
	_, steps := carry(t, patients(constant(scenarios.Users, 2, 700*time.Millisecond), 10*time.Millisecond, 0), Options{Base: c.base, Accounts: accounts(2)})
	if c.renewals < 4 || c.stale != 0 || steps["refresh"].Sent != int64(c.renewals) || len(c.signIns) != 2 {
		t.Errorf("got %d renewals (%d recorded), %d dead tokens, %d sign-ins, want some, as many, none, 2",
			c.renewals, steps["refresh"].Sent, c.stale, len(c.signIns))
	}
}

// A session that the server has ended is not used to the end of the run.
func TestARefusedTokenLeadsToANewSignIn(t *testing.T) {
	c := newClinic(t, &clinic{expires: 200 * time.Millisecond})
	sc := patients(constant(scenarios.Users, 1, 700*time.Millisecond), 10*time.Millisecond, 0)
	sc.Accounts.Refresh = nil
	_, steps := carry(t, sc, Options{Base: c.base, Accounts: accounts(1)})
	if n := steps["list"].Errors + steps["use"].Errors; n != int64(c.stale) || n == 0 || n > 4 {
		t.Errorf("got %d errors, the server refused %d tokens, want each once", n, c.stale)
	}
	if c.signIns["p000@clinic.test"] < 3 {
		t.Errorf("got %d sign-ins, want one after each", c.signIns["p000@clinic.test"])
	}
}

func TestSourceAddresses(t *testing.T) {
	source := func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 7, byte(1 + n%3)}) }
	for _, forward := range []bool{false, true} {
		c := newClinic(t, &clinic{})
		carry(t, patients(constant(scenarios.Users, 3, 100*time.Millisecond), 10*time.Millisecond, 0),
			Options{Base: c.base, Accounts: accounts(3), Source: source, Forward: forward})
		slices.Sort(c.from)
		got := slices.Compact(c.from)
		if want := []string{"127.0.7.1", "127.0.7.2", "127.0.7.3"}; !slices.Equal(got, want) {
			t.Errorf("forward %v: got clients %v, want %v", forward, got, want)
		}
	}
}
