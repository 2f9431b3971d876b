package audit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// An audit leaves the password as it was: the next one signs in with it, after a probe
// that ended as it should and after one that was interrupted in the middle.
func TestPasswordsAreSetBack(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	delete(g.Profile.Operations, "logout")
	people := slices.DeleteFunc(g.Accounts, func(a audit.Account) bool { return a.Role != "" })
	g.Accounts = people[:1] // whose password may be changed five times an hour
	for _, probe := range []string{"AU6", "AU12"} {
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, probe), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != audit.Pass || strings.Contains(strings.Join(f.Notes, " "), "stays changed") {
			t.Errorf("%s: got %v %q, notes %q, want PASS with the password that there was", probe, f.Status, f.Reason, f.Notes)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var changed atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if changed.Load() { // the first request after it
			end()
		}
		s.ServeHTTP(w, r)
		if r.Method == http.MethodPut && r.URL.Path == "/v2/password" {
			changed.Store(true)
		}
	}))
	t.Cleanup(srv.Close)
	g.Accounts = people[1:2]
	watched := *g
	watched.URL, _ = url.Parse(srv.URL)
	rep := audit.Run(ctx, probes(t, audit.Intrusive, "AU6"), &watched, audit.Options{Patience: time.Minute})
	f := rep.Findings[0]
	if !changed.Load() || f.Status != audit.Skip || !strings.HasPrefix(f.Reason, "interrupted; the password of ") || !strings.HasSuffix(f.Reason, " had been changed, and was set back") {
		t.Fatalf("changed %v, got %v %q, want an interrupted probe that had changed the password, and had set it back", changed.Load(), f.Status, f.Reason)
	}
	rep = audit.Run(t.Context(), probes(t, audit.Intrusive, "AU6"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Pass {
		t.Errorf("after an interruption: got %v %q, want PASS with the password that there was", f.Status, f.Reason)
	}
}

// What an API does not have is not asked of it.
func TestWithoutItsSubjectAProbeIsNotAsked(t *testing.T) {
	t.Parallel()
	for probe, without := range map[string][]string{
		"SH7": {"create", "update"}, // nothing with a date
		"AU7": {"password_reset", "password_reset_confirm"},
	} {
		g := audittest.New("").Serve(t)
		g.Profile.Promises.Standards = nil
		for _, name := range without {
			delete(g.Profile.Operations, name)
		}
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, probe), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != audit.NotAsked {
			t.Errorf("%s without %v: got %v %q, want it not asked", probe, without, f.Status, f.Reason)
		}
	}
}
