package audit_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// shadowed serves an API with something before it, which may answer in its place.
func shadowed(t *testing.T, s *audittest.API, before func(w http.ResponseWriter, r *http.Request) (answered bool)) *audit.Target {
	g := s.Serve(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			s.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.URL = u
	return g
}

// signsIn tells whether a request is a sign-in.
func signsIn(g *profile.Profile, r *http.Request) bool {
	op := g.Operations["login"]
	return r.Method == op.Method && r.URL.Path == op.Path
}

// A sign-in that was locked before anything was guessed accuses nobody, in whatever way a
// probe begins: with one guess, with a burst, or with forged headers.
func TestALockFromBeforeIsSkippedByEveryProbe(t *testing.T) {
	t.Parallel()
	for _, by := range []string{profile.ByAddress, profile.ByAccount} {
		s := audittest.New("")
		p := s.Profile(t)
		g := shadowed(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			if !signsIn(p, r) {
				return false
			}
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(s.Refused)
			return true
		})
		l := g.Profile.Limits["login"]
		l.By = by
		g.Profile.Limits["login"] = l
		only := []string{"LK1", "LK2", "LK8", "LK13", "LK14", "LK20"}
		if by == profile.ByAddress {
			only = append(only, "LK17")
		}
		for _, ids := range [][]string{only, {"LK8"}} {
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, ids...), g, audit.Options{Patience: time.Minute})
			for _, f := range rep.Findings {
				if f.Status != audit.Skip || !strings.Contains(f.Reason, "before anything was guessed from there") {
					t.Errorf("by %s, %s: got %v %q, want it skipped", by, f.ID, f.Status, f.Reason)
				}
			}
			for _, v := range rep.Violations {
				t.Errorf("by %s, of %v: accused: %v", by, ids, v)
			}
		}
	}
}

// Where one address alone was locked before, the burst is tried from another one; a
// limiter that refuses every burst whole is found all the same.
func TestABurstThatIsRefusedWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		limit int
		first int64 // so many sign-ins are refused, whoever sends them; then none
		crowd bool  // what comes at once is refused
		want  audit.Status
		words string
	}{
		{"one address", 5, 200, false, audit.Pass, ""},
		{"every burst", 5, 0, true, audit.Fail, "round 1, from where one was judged before: 200×429, want 4×"},
		{"every burst, and a limit of one", 1, 0, true, audit.Skip, "in none of 4 rounds was it told how many are judged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := audittest.New("")
			s.Limit("login", c.limit)
			p := s.Profile(t)
			var sent, within atomic.Int64
			g := shadowed(t, s, func(w http.ResponseWriter, r *http.Request) bool {
				if !signsIn(p, r) {
					return false
				}
				n := within.Add(1)
				defer within.Add(-1)
				if c.crowd {
					time.Sleep(500 * time.Millisecond)
					n = max(n, within.Load())
				}
				if sent.Add(1) <= c.first || c.crowd && n > 1 {
					w.Header().Set("Retry-After", "3")
					w.WriteHeader(s.Refused)
					return true
				}
				return false
			})
			l := g.Profile.Limits["login"]
			l.Limit = c.limit
			g.Profile.Limits["login"] = l
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK8"), g, audit.Options{Patience: time.Minute, Bursts: 2})
			if f := rep.Findings[0]; f.Status != c.want && !crowded(f) || !strings.Contains(f.Reason, c.words) {
				t.Errorf("got %v %q, want %v with %q", f.Status, f.Reason, c.want, c.words)
			}
			if c.want != audit.Fail && len(rep.Violations) > 0 && c.first > 0 {
				t.Errorf("accused: %v", rep.Violations)
			}
		})
	}
}

// One account of the file that was locked before accuses nobody where the limit counts by
// account, however much was sent from the address.
func TestAnAccountThatWasLockedBefore(t *testing.T) {
	t.Parallel()
	for _, probe := range []string{"LK13", "LK14"} {
		for _, by := range []string{profile.ByAccount, profile.ByAddress} {
			s := audittest.New("")
			s.CountLoginsBy(by)
			p := s.Profile(t)
			g := shadowed(t, s, func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(r.Body) // cut short: the API says so
				r.Body = io.NopCloser(bytes.NewReader(body))
				if !signsIn(p, r) || !bytes.Contains(body, []byte("user2@")) { // the second that is given out
					return false
				}
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(s.Refused)
				return true
			})
			l := g.Profile.Limits["login"]
			l.By = by
			g.Profile.Limits["login"] = l
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, probe), g, audit.Options{Patience: time.Minute})
			f := rep.Findings[0]
			if by == profile.ByAccount && (f.Status != audit.Skip || !strings.Contains(f.Reason, "before anything was guessed") || len(rep.Violations) > 0) {
				t.Errorf("%s: got %v %q and %v, want it skipped", probe, f.Status, f.Reason, rep.Violations)
			}
			if by == profile.ByAddress && f.Status != audit.Fail {
				t.Errorf("%s, by address: got %v %q, want FAIL: no account can be locked", probe, f.Status, f.Reason)
			}
		}
	}
}

// A change of passwords whose quota an earlier run has spent is skipped, and so is a code
// that is refused before any was sent.
func TestAQuotaThatWasSpentBefore(t *testing.T) {
	t.Parallel()
	for probe, operation := range map[string]string{"LK21": "two_factor_verify", "LK22": "password_change", "LK32": "password_reset", "AU5": "refresh"} {
		s := audittest.New("")
		op := s.Profile(t).Operations[operation]
		g := shadowed(t, s, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != op.Method || r.URL.Path != op.Path {
				return false
			}
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(s.Refused)
			return true
		})
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, probe), g, audit.Options{Patience: time.Minute})
		if f := rep.Findings[0]; f.Status != audit.Skip || !strings.Contains(f.Reason, "before anything was") && !strings.Contains(f.Reason, "or a limit refused them") {
			t.Errorf("%s: got %v %q, want it skipped", probe, f.Status, f.Reason)
		}
		for _, v := range rep.Violations {
			if v.Policy == op.Policy {
				t.Errorf("%s: accused: %v", probe, v)
			}
		}
	}
}
