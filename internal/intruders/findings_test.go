package intruders_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vitals/internal/intruders"
	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// An intruder whose questions the profile has no words for is told, and its
// figures are missing: a zero would be a pass.
func TestWithoutItsOperationsThereIsNoData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bare, err := profile.Read(strings.NewReader("profile: bare\noperations:\n  login: {path: /login}\n  refresh: {path: /refresh}\nlimits:\n  login: {limit: 5, window: 300s}"), "bare.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			in      scenarios.Intruder
			profile *profile.Profile
			why     string
		}{
			{codes, bare, `intruder "coder" from 127.9.0.100 is NO DATA: profile bare has no operation two_factor_enrol`},
			{reuse, bare, `intruder "replayer" from 127.9.0.100 is NO DATA: profile bare has no operation logout`},
			{reuse, nil, `intruder "replayer" from 127.9.0.100 is NO DATA: there is no profile`},
		} {
			attacks, facts, samples := assaultIn(t, newDoor(""), c.profile, c.in)
			if told := strings.Join(intruders.Told(attacks), "\n"); !strings.Contains(told, c.why) {
				t.Errorf("told %q, want %q", told, c.why)
			}
			if len(facts) != 0 || len(samples) != 0 {
				t.Errorf("got %v and %d samples, want nothing", facts, len(samples))
			}
			// Beside one that works, its silence still is no pass; what the other
			// saw leak is told.
			_, facts, _ = assaultIn(t, newDoor(""), c.profile, spoof, c.in)
			if f, ok := facts["intruders.leaked"]; ok {
				t.Errorf("leaked: got %g although one intruder showed nothing", f.Value)
			}
			_, facts, _ = assaultIn(t, newDoor("oracle"), c.profile, spoof, c.in)
			if f := facts["intruders.leaked"]; f.Value != 2 {
				t.Errorf("leaked: got %g, want the 2 that were seen", f.Value)
			}
		}
	})
}

// slow is a door that answers after a while.
type slow struct {
	*door
	after time.Duration
}

func (s slow) Send(ctx context.Context, q wire.Request) (wire.Answer, error) {
	sent := time.Now()
	time.Sleep(s.after)
	a, err := s.door.Send(ctx, q)
	a.Sent, a.Done = sent, time.Now()
	return a, err
}

// An attack that could not be sent as declared is doubted in words; what was due
// and not sent is counted.
func TestDoubts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		siege := spray
		siege.Rate, siege.Addresses, siege.UnknownAccounts = 2000, 50, 99
		for _, c := range []struct {
			after time.Duration
			want  string
		}{
			{200 * time.Millisecond, ""},
			{3 * time.Second, `intruder "sprayer" sent 683 of 2000 guesses a second, want at least 90%: 39520 found none of our 2048 connections free`},
		} {
			missed := 0
			group := intruders.New(plan([]scenarios.Intruder{siege}, func() { missed++ }), slow{newDoor(""), c.after})
			group.Prepare(t.Context())
			during, over := context.WithTimeout(t.Context(), time.Minute)
			attacks := group.Run(t.Context(), during, time.Now())
			over()
			a := attacks[0]
			doubts := strings.Join(intruders.Doubts(attacks), "\n")
			if c.want == "" != (doubts == "") || !strings.HasPrefix(doubts, c.want) {
				t.Errorf("answers after %s: doubted %q, want %q…", c.after, doubts, c.want)
			}
			if a.Planned != 60_000 || a.Sent+a.Missed != a.Planned || a.Missed != missed || a.Excess != 0 || !a.Complete {
				t.Errorf("answers after %s: got %+v, %d missed", c.after, a, missed)
			}
		}
	})
}

// phases makes a run whose honest answers took so long, phase by phase.
func phases(n int, took ...time.Duration) *measure.Result {
	r := &measure.Result{Took: time.Duration(len(took)) * time.Second}
	for i, d := range took {
		p := measure.PhaseResult{Phase: measure.Phase{Name: []string{"quiet", "attacked"}[i%2], From: time.Duration(i) * time.Second, To: time.Duration(i+1) * time.Second, Judged: true}}
		h := measure.NewHistogram()
		for range n {
			h.Record(d)
		}
		p.Steps = []measure.StepResult{{Step: measure.Step{Name: "list"}, Response: h}, {Step: measure.Step{Name: "guess", Intruder: true}, Response: measure.NewHistogram()}}
		r.Phases = append(r.Phases, p)
	}
	return r
}

func TestSiege(t *testing.T) {
	const ms = time.Millisecond
	whole := []intruders.Attack{{Intruder: "sprayer", Complete: true}}
	for _, c := range []struct {
		name    string
		r       *measure.Result
		attacks []intruders.Attack
		want    float64 // 0: no data
		note    string
	}{
		{"slower than anybody feels", phases(100, 2*ms, 3*ms, 2*ms, 4*ms), whole, 1,
			"honest p95 2ms without (n 200), 4ms under attack (n 200): 2.00 times, pair by pair 1.50 to 2.00 (2 pairs); counted as 1, for a difference below 30ms is felt by nobody and is less than a shared machine can repeat"},
		{"felt", phases(100, 20*ms, 60*ms, 20*ms, 80*ms), whole, 4, "honest p95 20.02ms without (n 200), 80.06ms under attack (n 200): 4.00 times, pair by pair 3.00 to 4.00 (2 pairs)"},
		{"faster", phases(200, 4*ms, 2*ms), whole, 0.5, "honest p95 4ms without (n 200), 2ms under attack (n 200): 0.50 times"},
		{"too few", phases(99, 2*ms, 3*ms, 2*ms, 4*ms), whole, 0, ""},
		{"the attack showed nothing", phases(100, 2*ms, 3*ms, 2*ms, 4*ms), []intruders.Attack{{Intruder: "sprayer"}}, 0, ""},
		{"cut short", func() *measure.Result { r := phases(200, 2*ms, 3*ms); r.Took -= ms; return r }(), whole, 0, ""},
	} {
		facts := intruders.Siege(c.r, []scenarios.Intruder{spray}, c.attacks)
		if c.want == 0 {
			if len(facts) != 0 {
				t.Errorf("%s: got %v, want no data", c.name, facts)
			}
			continue
		}
		if len(facts) != 1 || int(1000*facts[0].Value+0.5) != int(1000*c.want) || facts[0].Note != c.note {
			t.Errorf("%s: got %+v, want %g, %q", c.name, facts, c.want, c.note)
		}
	}
	if facts := intruders.Siege(phases(200, 2*ms, 3*ms), []scenarios.Intruder{spoof}, whole); len(facts) != 0 {
		t.Errorf("an intruder of no phase: got %v", facts)
	}
}

// What nobody may be granted is told whatever is promised; that a lock lets somebody in, or
// tells an error as a success, is asked of a profile alone.
func TestGranted(t *testing.T) {
	for _, c := range []struct {
		in       scenarios.Intruder
		fault    string
		promised bool
		want     string
	}{
		{guess, "", true, ""},
		{guess, "open", false, `intruder "guesser" (password guessing): 10 of 10 wrong credentials were accepted`},
		{guess, "oracle", true, `intruder "guesser" (password guessing): 2 of 2 right credentials were accepted while they were to be refused`},
		{guess, "oracle", false, ""},
		{guess, "disguised", true, `intruder "guesser" (password guessing): 10 of 10 wrong credentials were answered 2xx without a token: let in, if a session is a cookie, else errors in disguise, which a client takes for success`},
		{guess, "disguised", false, ""},
		{guess, "disguised lock", true, `intruder "guesser" (password guessing): 2 of 2 right credentials were answered 2xx without a token while they were to be refused`},
		{spray, "open", false, `intruder "sprayer" (password spraying): 50 of 50 wrong credentials were accepted`},
		{reuse, "replay", true, ""}, // whether a token may be used again is for targets to ask
	} {
		synctest.Test(t, func(t *testing.T) {
			attacks, _, _ := assault(t, newDoor(c.fault), c.in)
			if got := strings.Join(intruders.Granted(attacks, c.promised), "\n"); got != c.want {
				t.Errorf("%s, %q: got %q, want %q", c.in.Kind, c.fault, got, c.want)
			}
		})
	}
}

// Where users keep cookies and nobody has a place for a token, a cookie is a session.
func TestACookieIsASession(t *testing.T) {
	for keeps, want := range map[bool]string{
		true:  "10 of 10 wrong credentials were accepted",
		false: "10 of 10 wrong credentials were answered 2xx without a token",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := plan([]scenarios.Intruder{guess}, func() {})
			p.Profile, p.Cookies, p.Record = read(t, "", "limit: 5, window: 300s"), keeps, func(*measure.Sample) {}
			group := intruders.New(p, newDoor("open by cookie"))
			group.Prepare(t.Context())
			attacks := group.Run(t.Context(), t.Context(), time.Now())
			if got := strings.Join(intruders.Granted(attacks, true), "\n"); !strings.Contains(got, want) {
				t.Errorf("keeps cookies %v: got %q, want %q", keeps, got, want)
			}
		})
	}
}

// What signing out has ended is granted for sure where the profile declares that it is
// refused.
func TestATokenThatWasSignedOutIsGranted(t *testing.T) {
	for _, c := range []struct{ declared, fault, want string }{
		{", refused: 401", "", ""},
		{", refused: 401", "stateless", `intruder "replayer" (token replay): dead tokens were served: an access token after signing out: 4 times`},
		{", refused: 401", "replay", ""},
		{"", "stateless", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, err := profile.Read(strings.NewReader(strings.Replace(words, "path: /me", "path: /me"+c.declared, 1)), "door.yaml")
			if err != nil {
				t.Fatal(err)
			}
			attacks, _, _ := assaultIn(t, newDoor(c.fault), p, reuse)
			if got := strings.Join(intruders.Granted(attacks, true), "\n"); got != c.want {
				t.Errorf("%q, %q: got %q, want %q", c.declared, c.fault, got, c.want)
			}
		})
	}
}

// Where nobody says what opens a session, a form that is shown again with 200 is no grant.
func TestNothingIsSurelyGrantedWhereNobodySaysWhatOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attacks, facts, _ := assaultIn(t, newDoor("open"), nil, guess)
		if got := intruders.Granted(attacks, false); len(got) > 0 || facts["intruders.leaked"].Value == 0 {
			t.Errorf("got %q and %v, want the figure alone, which a target may ask for", got, facts["intruders.leaked"])
		}
	})
}
