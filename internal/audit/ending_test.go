package audit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// What an interruption came before is told from what nobody promised, though neither was
// sent anything: also of probes that rest on a standard alone, and would only have advised.
func TestWhatAnInterruptionCameBefore(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	g.Profile.Promises = profile.Promises{Errors: g.Profile.Promises.Errors}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	last := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		end()
	}))
	t.Cleanup(last.Close)
	u, err := url.Parse(last.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.URL = u
	rep := audit.Run(ctx, probes(t, audit.Intrusive, "HL1", "SH1", "SH3", "SH9", "LK2"), g, audit.Options{Patience: time.Minute})
	const unrun = "not run: interrupted"
	for _, f := range rep.Findings {
		status, reason := audit.Skip, unrun
		switch f.ID {
		case "HL1": // nobody promised it
			status, reason = audit.NotAsked, f.Reason
		case "SH1": // it was under way
			reason = "interrupted"
		}
		if f.Status != status || f.Reason != reason || f.NotRun != (reason == unrun) {
			t.Errorf("%s: got %v %q, not run %v, want %v %q", f.ID, f.Status, f.Reason, f.NotRun, status, reason)
		}
		if f.ID == "HL1" && f.Reason == "interrupted" {
			t.Errorf("HL1: got %q, want why it was not asked", f.Reason)
		}
	}
	if ids, why := rep.Unrun(); len(ids) != rep.Counts.NotRun || len(ids) != 3 || why != unrun {
		t.Errorf("got %v %q and %+v, want the three that were not run", ids, why, rep.Counts)
	}
}
