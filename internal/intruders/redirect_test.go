package intruders_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/intruders"
	"vitals/scenarios"
)

// A form's sign-in answers 302: where the profile says so it is a success, whether it is
// its owner's or one that should not have been, and any other redirect proves nothing.
func TestASignInThatRedirects(t *testing.T) {
	limit := "limit: 5, window: 300s, lock: 900s"
	for fault, want := range map[string]map[string]float64{
		"":       {"lockout.admitted": 5},
		"oracle": {"lockout.admitted": 5, "lockout.leaked": 2, "intruders.leaked": 2},
	} {
		t.Run("sound "+fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor(fault)
				d.says = map[int]int{http.StatusOK: http.StatusFound}
				attacks, facts, _ := assaultIn(t, d, read(t, ", ok: 302", limit), guess)
				if diff := cmp.Diff(values(facts), want); diff != "" || len(facts) < 4 {
					t.Errorf("facts (-got +want):\n%s%v\n%s", diff, facts, intruders.Told(attacks))
				}
			})
		})
	}
	for _, ok := range []string{"", ", ok: 303", ", ok: 302"} {
		t.Run("a wrong password redirected"+ok, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attacks, facts, _ := assaultIn(t, newDoor("redirecting"), read(t, ok, limit), guess)
				right := "2xx (ok: 307 of the operation, where that redirect says it)"
				if ok != "" {
					right = strings.TrimPrefix(ok, ", ok: ") + " (ok:)"
				}
				want := "307 (3 times) is no answer that is known: a right credential is answered " + right
				if told := strings.Join(intruders.Told(attacks), "\n"); len(facts) > 0 || !strings.Contains(told, want) {
					t.Errorf("got %v and %s, want nothing judged", facts, told)
				}
			})
		})
	}
}

// Without a profile a scenario's own sign-in tells by which redirect it succeeds: a form
// that is shown again with 200 is no success then, and where nobody says what a wrong
// password is answered, neither is the redirect.
func TestASignInThatRedirectsWithoutAProfile(t *testing.T) {
	for _, c := range []struct {
		name          string
		says          map[int]int
		wrong, locked []int
		fault, want   string // what is told; "" = the figures are exact
		leaked        float64
	}{
		{"a form again", map[int]int{200: 302, 401: 200, 429: 403}, nil, nil, "by cookie", "200 (3 times) is no answer that is known: a right credential is answered 302 (ok:)", 0},
		{"a redirect back", map[int]int{200: 302, 401: 302, 429: 403}, nil, nil, "by cookie", "302 (answers: 3) may be of a right credential, as the scenario expects, of a wrong one or of a lock", 0},
		{"the right password alone", map[int]int{200: 302}, nil, nil, "by cookie", "say which in a profile (ok: 302 of login), or by wrong: and locked: of the intruder", 0},
		{"a form again, declared", map[int]int{200: 302, 401: 200, 429: 403}, []int{200}, []int{403}, "by cookie", "", 0},
		{"a leak, declared", map[int]int{200: 302, 401: 200, 429: 403}, []int{200}, []int{403}, "oracle", "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, in := newDoor(c.fault), guess
				d.says, in.Wrong, in.Locked = c.says, c.wrong, c.locked
				p := plan([]scenarios.Intruder{in}, func() {})
				p.SignIn.Expect.Status, p.Cookies = []int{302}, true
				attacks, facts, _ := carriedOut(t, d, p)
				told := strings.Join(intruders.Told(attacks), "\n")
				if f, ok := facts["intruders.leaked"]; ok != (c.want == "") || f.Value != c.leaked || !strings.Contains(told, c.want) {
					t.Errorf("got %v, told:\n%s\nwant %g leaked and %q", facts, told, c.leaked, c.want)
				}
				if granted := intruders.Granted(attacks, false); len(granted) > 0 {
					t.Errorf("got %q, want nothing that fails whatever the targets are", granted)
				}
			})
		})
	}
}

// Where users keep cookies and nobody says what opens a session, a form shown again with
// 200 and without a cookie is not said to be let in.
func TestAFormShownAgainIsNotLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor("by cookie")
		d.says = map[int]int{401: 200}
		p := plan([]scenarios.Intruder{guess}, func() {})
		p.Cookies = true
		attacks, facts, _ := carriedOut(t, d, p)
		if facts["intruders.leaked"].Value != 0 || facts["intruders.wrong"].Value == 0 || strings.Contains(strings.Join(intruders.Told(attacks), "\n"), "accepted") {
			t.Errorf("got %v, told %q", facts, intruders.Told(attacks))
		}
	})
}
