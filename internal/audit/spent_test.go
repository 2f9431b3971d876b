package audit_test

import (
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// A quota that an earlier run has spent in part is told from one that is too narrow:
// the window is waited for, and the probe asks again.
func TestAQuotaSpentBeforeIsNoFault(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	s.Spend("api", 20)
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK23"), g, audit.Options{Patience: time.Minute})
	if got := red(rep); len(got) > 0 || rep.Counts.Pass != 1 && !crowded(rep.Findings[0]) {
		t.Errorf("got %v, want LK23 passed:\n%s", got, show(rep))
	}
	s.Spend("api", 20)
	rep = audit.Run(t.Context(), probes(t, audit.Intrusive, "LK23"), g, audit.Options{Patience: time.Second})
	if f := rep.Findings[0]; f.Status != audit.Skip || !strings.Contains(f.Reason, "spent of this quota before the audit") {
		t.Errorf("without the patience to wait for it: got %v %q, want a skip that says why", f.Status, f.Reason)
	}
}

// A quota that an earlier run has spent whole leaves the window that LK24 watches too little
// to come back.
func TestAQuotaSpentWholeIsNoFault(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	s.Spend("api", 100)
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK24"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Skip || !strings.Contains(f.Reason, "spent of this quota before the audit") {
		t.Errorf("got %v %q, want a skip that says why", f.Status, f.Reason)
	}
}

// An API that announces nothing is not asked what is left, and no figure of that is printed.
func TestNothingLeftIsToldOfAnUntoldRemainder(t *testing.T) {
	t.Parallel()
	s := audittest.New("no limit headers")
	g := s.Serve(t)
	g.Profile.Promises.LimitHeaders = &profile.LimitHeaders{Form: profile.NoHeaders, RetryAfter: true}
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK25"), g, audit.Options{Patience: time.Minute})
	if got := red(rep); len(got) > 0 || rep.Counts.Pass != 1 {
		t.Errorf("got %v, want LK25 passed:\n%s", got, show(rep))
	}
	if notes := strings.Join(rep.Findings[0].Notes, "\n"); !strings.Contains(notes, "what the preflights cost was not looked at") {
		t.Errorf("got notes %q, want what was not looked at", notes)
	}
}

// Typos are fewer than the limit, however low it is: one more is the lock itself.
func TestTyposOfALowLimit(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]audit.Status{3: audit.Pass, 2: audit.Pass, 1: audit.Skip} {
		s := audittest.New("")
		s.Limit("login", limit)
		g := s.Serve(t)
		l := g.Profile.Limits["login"]
		l.Limit = limit
		g.Profile.Limits["login"] = l
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK15"), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != want {
			t.Errorf("limit %d: got %v %q, want %v", limit, f.Status, f.Reason, want)
		}
	}
}
