package audit_test

import (
	"encoding/json"
	"regexp"
	"strings"
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
				only := []string{"LK1", "LK2", "LK3", "LK4", "LK5", "LK6", "LK8", "LK14", "LK15", "LK20", "LK25", "LK27"}
				if by == profile.ByPair {
					only = append(only, "LK7", "LK17")
				}
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

// The spelling of an account that has a count of its own is told in words: of an address
// that is shortened nobody sees which it was.
func TestASpellingOfAnAccountIsToldInWords(t *testing.T) {
	t.Parallel()
	s := audittest.New("each spelling of an account has a count")
	s.CountLoginsBy(profile.ByAccount)
	g := s.Serve(t)
	l := g.Profile.Limits["login"]
	l.By = profile.ByAccount
	g.Profile.Limits["login"] = l
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK20"), g, audit.Options{Patience: time.Minute})
	f := rep.Findings[0]
	if f.Status != audit.Fail || !strings.Contains(f.Reason, "were judged by 2 spellings of its name, want at most 5: 5×as it is, 5×in capitals") || strings.Contains(f.Reason, "@") {
		t.Errorf("got %v %q, want FAIL with the spelling in words, and no address", f.Status, f.Reason)
	}
	text, err := json.Marshal(f)
	if err != nil || regexp.MustCompile(`USER\d+@`).Match(text) {
		t.Errorf("the finding shows an address in capitals: %s, %v", text, err)
	}
}

// A limit is promised by address and account together, or by the account; what counts
// otherwise, or lets a forged address have a count of its own, is found and named.
func TestALimitThatCountsOtherwise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ promised, counted, lie, probe, words string }{
		{profile.ByPair, profile.ByAccount, "", "LK6", "the lock is not of the one address alone"},
		{profile.ByPair, profile.ByAddress, "", "LK6", "the lock is everybody's there"},
		{profile.ByAccount, profile.ByPair, "", "LK6", "the limit does not count by the account alone"},
		{profile.ByAccount, profile.ByAddress, "", "LK6", "the limit does not count by the account alone"},
		{profile.ByPair, profile.ByPair, "leftmost X-Forwarded-For", "LK17", "X-Forwarded-For is believed"},
	} {
		t.Run(c.promised+" "+c.counted+c.lie, func(t *testing.T) {
			t.Parallel()
			s := audittest.New(c.lie)
			s.CountLoginsBy(c.counted)
			g := s.Serve(t)
			l := g.Profile.Limits["login"]
			l.By = c.promised
			g.Profile.Limits["login"] = l
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, c.probe), g, audit.Options{Patience: time.Minute})
			if f := rep.Findings[0]; f.Status != audit.Fail || !strings.Contains(f.Reason, c.words) {
				t.Errorf("got %v %q, want FAIL with %q", f.Status, f.Reason, c.words)
			}
		})
	}
}

// A sign-in may give a refresh token that the profile has no operation for: the rest of a
// probe is asked all the same.
func TestNoRefreshLeavesTheRestAsked(t *testing.T) {
	t.Parallel()
	g := audittest.New("").Serve(t)
	without("refresh")(g.Profile)
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK7", "AU6", "AU13"), g, audit.Options{Patience: time.Minute})
	if got := red(rep); len(got) > 0 || passedOf(rep) != 3 {
		t.Errorf("red at %v, want 3 passed:\n%s", got, show(rep))
	}
}
