package audit_test

import (
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// A sound limit that counts by the account, or by address and account together, is
// accused of nothing: the lock of one account says nothing of the next. One that lets a
// burst through is found all the same.
func TestACountByAccountIsSoundAndHeldToIt(t *testing.T) {
	t.Parallel()
	for _, by := range []string{profile.ByAccount, profile.ByPair} {
		for lie, want := range map[string]string{"": "", "GET then INCR": "LK8"} {
			t.Run(by+" "+lie, func(t *testing.T) {
				t.Parallel()
				s := audittest.New(lie)
				s.CountLoginsBy(by)
				g := s.Serve(t)
				l := g.Profile.Limits["login"]
				l.By = by
				g.Profile.Limits["login"] = l
				only := []string{"LK1", "LK2", "LK3", "LK4", "LK5", "LK8", "LK15", "LK20", "LK25", "LK27"}
				if want != "" {
					only = []string{want}
				}
				rep := audit.Run(t.Context(), probes(t, audit.Intrusive, only...), g, audit.Options{Patience: time.Minute, Bursts: 2})
				got := red(rep)
				if want == "" && (len(got) > 0 || passedOf(rep) != len(only)) {
					t.Errorf("red at %v, want %d passed:\n%s", got, len(only), show(rep))
				}
				if want != "" && rep.Counts.Fail != 1 && !crowded(rep.Findings[0]) {
					t.Errorf("%s held:\n%s", want, show(rep))
				}
			})
		}
	}
}
