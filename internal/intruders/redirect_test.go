package intruders_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/intruders"
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
