package intruders_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/intruders"
	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/scenarios"
)

var guess = scenarios.Intruder{Name: "guesser", Kind: scenarios.PasswordGuessing, Addresses: 2, Guesses: 8}

// read is a profile of the door's with other lines for sign-ins and their limit.
func read(t *testing.T, more, limit string) *profile.Profile {
	t.Helper()
	text := strings.Replace(words, `password: "{{password}}"}, policy: login}`, `password: "{{password}}"}, policy: login`+more+`}`, 1)
	text = strings.Replace(text, "login: {limit: 5, window: 300s}", "login: {"+limit+"}", 1)
	p, err := profile.Read(strings.NewReader(text), "door.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func values(facts map[string]measure.Fact) map[string]float64 {
	out := map[string]float64{}
	for name, f := range facts {
		if f.Value != 0 && name != "lockout.retry_after" {
			out[name] = f.Value
		}
	}
	return out
}

// A wrong password and a refusal are what the profile says they are, whatever the
// statuses. A sound door is accused of nothing under any of them.
func TestDeclaredStatuses(t *testing.T) {
	for _, c := range []struct{ wrong, refused int }{{401, 429}, {400, 423}, {403, 503}, {401, 401}} {
		for _, kind := range []scenarios.Intruder{guess, spoof, spray} {
			for _, atOnce := range []bool{false, true} {
				kind.AtOnce = atOnce && kind.Kind == scenarios.PasswordGuessing
				t.Run(fmt.Sprintf("%s/%d-%d/%v", kind.Kind, c.wrong, c.refused, atOnce), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						d := newDoor("")
						d.says = map[int]int{http.StatusUnauthorized: c.wrong, http.StatusTooManyRequests: c.refused}
						p := read(t, fmt.Sprintf(", refused: %d", c.wrong), fmt.Sprintf("limit: 5, window: 300s, statuses: [%d]", c.refused))
						attacks, facts, samples := assaultIn(t, d, p, kind)
						want := map[string]float64{"lockout.admitted": 5}
						if kind.Kind == scenarios.PasswordSpraying {
							want = map[string]float64{}
						}
						if diff := cmp.Diff(values(facts), want); diff != "" || len(facts) < 4 {
							t.Errorf("facts (-got +want):\n%s%v\n%s", diff, facts, intruders.Told(attacks))
						}
						for _, s := range samples {
							if !s.OK || (s.Code == c.refused && c.refused != c.wrong) != (s.Outcome == measure.Refused) && c.refused != c.wrong {
								t.Errorf("status %d: got OK %v, outcome %v", s.Code, s.OK, s.Outcome)
							}
						}
					})
				})
			}
		}
	}
}

// A limit is the one that the sign-in refers to, whatever the profile calls it.
func TestALimitUnderItsOwnName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor("")
		d.says = map[int]int{http.StatusTooManyRequests: http.StatusLocked}
		text := strings.NewReplacer("policy: login", "policy: sign_in", "  login: {limit: 5, window: 300s}", "  sign_in: {limit: 5, window: 300s, statuses: [423]}").Replace(words)
		p, err := profile.Read(strings.NewReader(text), "door.yaml")
		if err != nil {
			t.Fatal(err)
		}
		attacks, facts, _ := assaultIn(t, d, p, guess)
		if diff := cmp.Diff(values(facts), map[string]float64{"lockout.admitted": 5}); diff != "" {
			t.Errorf("facts (-got +want):\n%s\n%s", diff, intruders.Told(attacks))
		}
	})
}

// An intruder may declare them itself, where there is no profile.
func TestAnIntruderDeclaresStatuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor("")
		d.says = map[int]int{http.StatusUnauthorized: 400, http.StatusTooManyRequests: 423}
		in := guess
		in.Wrong, in.Locked = []int{400}, []int{423}
		_, facts, _ := assaultIn(t, d, nil, in)
		exact(t, facts)
	})
}

// An answer that is neither a declared judgement nor a declared refusal proves
// nothing, and is named; so is what an earlier run left behind. None of it is a
// figure that a target could fail on, or pass.
func TestWhatProvesNothingIsNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		door  func(d *door)
		limit string
		want  string
	}{
		{"an undeclared refusal", func(d *door) { d.says = map[int]int{429: 423} }, "limit: 5, window: 300s", "423 (3 times) is no answer that is known: a wrong credential is answered 401 (refused: of operation login in the profile) and a refusal by the limit 429"},
		{"an undeclared judgement", func(d *door) { d.says = map[int]int{401: 422} }, "limit: 5, window: 300s", "422 (3 times) is no answer that is known"},
		{"a redirect", func(d *door) { d.fault = "redirecting" }, "limit: 5, window: 300s", "is no answer that is known"},
		{"an address left locked", func(d *door) {
			d.locked["login 127.9.0.100"], d.locked["login 127.9.0.102"] = true, true
		}, "limit: 5, window: 300s, lock: 900s", "its address was refused before its first guess (status 429), wait 15m0s: an earlier run"},
		{"an account left throttled", func(d *door) { d.wrong["a@clinic.test"], d.wrong["b@clinic.test"] = 18, 18 }, "limit: 5, window: 300s", "its victim's account was refused after 2 wrong passwords, and others from the same address were not, wait 15m0s: an earlier run, or somebody else, guessed at it, and there is no spare account in its place"},
		{"an account left throttled, found before", func(d *door) {
			d.wrong["a@clinic.test"], d.wrong["b@clinic.test"] = 20, 20
		}, "limit: 5, window: 300s, account: 20", "its victim could not sign in before the run (status 429), wait 15m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor("")
				c.door(d)
				attacks, facts, _ := assaultIn(t, d, read(t, "", c.limit), guess)
				told := strings.Join(intruders.Told(attacks), "\n")
				if !strings.Contains(told, "is NO DATA: "+c.want) && !strings.Contains(told, c.want) {
					t.Errorf("told:\n%s\nwant %q", told, c.want)
				}
				if got := values(facts); len(got) > 0 || len(facts) > 0 {
					t.Errorf("got figures %v, want none", facts)
				}
			})
		})
	}
}

// A victim that an earlier run has left refused gives way to a spare account: at the first
// guess, amid the guesses and at once, with and without a profile.
func TestAVictimLeftRefusedGivesWay(t *testing.T) {
	for _, bare := range []bool{false, true} {
		for _, left := range []int{18, 20} {
			for _, atOnce := range []bool{false, true} {
				if bare && left < 20 { // nobody says that a lock comes too soon
					continue
				}
				t.Run(fmt.Sprintf("%d/bare %v/at once %v", left, bare, atOnce), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						d, in := newDoor(""), guess
						d.wrong["a@clinic.test"], d.wrong["b@clinic.test"] = left, left
						in.AtOnce = atOnce
						p := plan([]scenarios.Intruder{in}, func() {})
						if !bare {
							p.Profile = read(t, "", "limit: 5, window: 300s")
						}
						spares := []string{"c", "d"}
						p.Spare = func() (v intruders.Victim, ok bool) {
							if ok = len(spares) > 0; ok {
								v, spares = intruders.Victim{Email: spares[0] + "@clinic.test", Password: "right-" + spares[0]}, spares[1:]
							}
							return v, ok
						}
						attacks, facts, _ := carriedOut(t, d, p)
						if got := values(facts); len(got) != 1 || got["lockout.admitted"] != 5 {
							t.Errorf("got %v, want nothing but the 5 admitted", got)
						}
						told := strings.Join(intruders.Told(attacks), "\n")
						if len(facts) == 0 || len(spares) > 0 || strings.Contains(told, "NO DATA") || !strings.Contains(told, "2 victims were refused before they were attacked") {
							t.Errorf("got %v, spares left %v, told:\n%s", facts, spares, told)
						}
						for _, a := range attacks {
							if a.Judged != 5 || a.Knowing != 1 || a.Standing != 1 {
								t.Errorf("from %v: %d judged, %d right passwords from the locked address, %d from elsewhere, want 5, 1 and 1", a.From, a.Judged, a.Knowing, a.Standing)
							}
						}
					})
				})
			}
		}
	}
}

// A Retry-After is read as seconds or as a date; any other is said as it was sent,
// and why the figure is missing.
func TestWaitsAreReadOrTold(t *testing.T) {
	for _, c := range []struct {
		wait      func(time.Time) string
		figure    float64 // 0 = none
		told, why string
	}{
		{wait: nil, figure: 900},
		{wait: func(now time.Time) string { return now.Add(15 * time.Minute).UTC().Format(http.TimeFormat) }, figure: 900},
		{wait: func(time.Time) string { return "2000000000" }, figure: 2e9},
		{wait: func(time.Time) string { return "0" }, told: "12 of 12 refusals said Retry-After: 0", why: "refusals said Retry-After: 0"},
		{wait: func(time.Time) string { return "-5" }, told: `12 of 12 refusals said Retry-After: "-5", which is neither whole seconds nor a date`, why: `"-5"`},
		{wait: func(time.Time) string { return "1.5" }, told: `"1.5"`, why: `"1.5"`},
		{wait: func(time.Time) string { return "soon" }, told: `"soon"`, why: `lockout.retry_after: refusals said Retry-After: "soon"`},
		{wait: func(time.Time) string { return "" }, why: "lockout.retry_after: no refusal had a Retry-After (12 refusals)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor("")
			d.wait = c.wait
			attacks, facts, _ := assaultIn(t, d, read(t, "", "limit: 5, window: 300s"), guess)
			if got := facts["lockout.retry_after"].Value; got != c.figure {
				t.Errorf("got lockout.retry_after %g, want %g", got, c.figure)
			}
			if told := strings.Join(intruders.Told(attacks), "\n"); !strings.Contains(told, c.told) || c.told == "" && strings.Contains(told, "Retry-After") {
				t.Errorf("told %q, want %q", told, c.told)
			}
			if why := strings.Join(intruders.NotShown(attacks), "\n"); !strings.Contains(why, c.why) || (c.why == "") != (why == "") {
				t.Errorf("got the reasons %q, want %q", why, c.why)
			}
		})
	}
}

// Why an intruder shows nothing is said once, however many addresses it had.
func TestWhatIsNotShownIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor("redirecting")
		attacks, _, _ := assaultIn(t, d, read(t, "", "limit: 5, window: 300s"), guess)
		why := intruders.NotShown(attacks)
		if len(why) != 1 || !strings.Contains(why[0], "is no answer that is known") || !strings.Contains(why[0], "from 2 addresses") {
			t.Errorf("got %q, want the reason once", why)
		}
	})
}

// A lock that closes the connection proves nothing, and is named with what came before it.
func TestALockThatHangsUpIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attacks, facts, _ := assaultIn(t, newDoor("hangs up"), read(t, "", "limit: 5, window: 300s"), guess)
		if _, judged := facts["lockout.admitted"]; judged {
			t.Errorf("got %v, want no lock judged", facts)
		}
		words := regexp.MustCompile(`^intruder "[^"]*", from 2 addresses, shows nothing: 10 judged, [1-9][0-9]+ tries unanswered: the connection was closed$`)
		if why := intruders.NotShown(attacks); len(why) != 1 || !words.MatchString(why[0]) {
			t.Errorf("got %q", why)
		}
		if told := strings.Join(intruders.Told(attacks), "\n"); strings.Count(told, " is NO DATA: 5 judged, ") != 2 || !strings.Contains(told, " tries unanswered: the connection was closed") {
			t.Errorf("got %s", told)
		}
	})
}

// A limit is the one that is promised: the lock is met wherever it comes, and
// without a promise nobody is asked to lock. What is let in is told in any case.
func TestPromisedLimits(t *testing.T) {
	for _, c := range []struct {
		limit, fault string
		few          int // guesses
		want         map[string]float64
		told         string
	}{
		{"limit: 5, window: 300s", "", 3, map[string]float64{"lockout.admitted": 5}, ""},
		{"limit: 4, window: 300s", "", 8, map[string]float64{"lockout.admitted": 5, "intruders.excess": 1}, ""},
		{"limit: 9, window: 300s", "", 8, map[string]float64{"lockout.admitted": 5}, ""}, // fewer than promised: lockout.admitted says so
		{"limit: 1000, window: 300s", "", 8, map[string]float64{}, "promises a lock after 1000 wrong passwords"},
		{"limit: 5, window: 300s, by: account", "global", 8, map[string]float64{"lockout.admitted": 5}, ""},
		{"limit: 5, window: 300s", "open", 8, map[string]float64{"lockout.admitted": 5, "lockout.leaked": 0, "intruders.leaked": 10}, "10 of 10 wrong credentials were accepted"},
		{"limit: 5, window: 300s", "disguised", 8, map[string]float64{"lockout.admitted": 5, "intruders.wrong": 10}, "10 of 10 wrong credentials were answered 2xx without a token"},
		{"limit: 5, window: 300s", "no wait", 8, map[string]float64{"lockout.admitted": 5}, "refusals said Retry-After: 0"},
	} {
		t.Run(c.limit+" "+c.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := guess
				in.Guesses = c.few
				if c.fault == "global" {
					in.Addresses = 1
				}
				began := time.Now()
				attacks, facts, _ := assaultIn(t, newDoor(c.fault), read(t, "", c.limit), in)
				delete(c.want, "lockout.leaked")
				if diff := cmp.Diff(values(facts), c.want); diff != "" {
					t.Errorf("figures (-got +want):\n%s", diff)
				}
				if told := strings.Join(intruders.Told(attacks), "\n"); !strings.Contains(told, c.told) {
					t.Errorf("told %q, want %q", told, c.told)
				}
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A short lock is a lock too, with a profile and without; what is judged when it is
// over, as it was announced, is no leak.
func TestShortLocks(t *testing.T) {
	for _, p := range []*profile.Profile{nil, read(t, "", "limit: 5, window: 300s, lock: 4s")} {
		for _, every := range []time.Duration{0, 300 * time.Millisecond, 2 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor("short lock")
				in := guess
				in.Addresses, in.Every = 1, every
				attacks, facts, _ := assaultIn(t, d, p, in)
				if every < time.Second {
					exact(t, facts)
					return
				}
				for name, f := range facts {
					if f.Value != 0 && strings.HasSuffix(name, "leaked") {
						t.Errorf("a guess every %v: %s is %g\n%s", every, name, f.Value, intruders.Told(attacks))
					}
				}
			})
		}
	}
}

// A server that never says anything of use is given up on: every question is asked
// for a bounded time, all of them together too.
func TestPatienceEnds(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			in := guess
			in.AtOnce = atOnce
			began := time.Now()
			assault(t, newDoor("unwell"), in)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("at once %v: it took %v, want at most 20s", atOnce, took)
			}
		})
	}
}
