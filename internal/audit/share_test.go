package audit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// byAccount is an API that counts sign-ins by account, at most so many, as its profile
// says or not; guesses are those at each of the file's accounts.
func byAccount(t *testing.T, limit int, told bool) (g *audit.Target, guesses map[string]int) {
	s := audittest.New("")
	s.CountLoginsBy(profile.ByAccount)
	s.Limit("login", limit)
	guesses = map[string]int{}
	var mu sync.Mutex
	g = through(t, s, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // what came is what is looked at
		r.Body = io.NopCloser(bytes.NewReader(b))
		var q struct{ Mail, Word string }
		if json.Unmarshal(b, &q) == nil && strings.HasSuffix(q.Mail, "@thirdparty.example") && strings.HasPrefix(q.Word, "Wrong-") {
			mu.Lock()
			guesses[q.Mail]++
			mu.Unlock()
		}
	})
	if l := g.Profile.Limits["login"]; told {
		l.By, l.Limit = profile.ByAccount, limit
		g.Profile.Limits["login"] = l
	}
	return g, guesses
}

// A limit by account is kept while sign-ins are timed, by as many accounts as it needs.
func TestTimingsKeepALimitByAccount(t *testing.T) {
	t.Parallel()
	g, guesses := byAccount(t, 4, true)
	f := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU2"), g, audit.Options{Patience: time.Minute}).Findings[0]
	if f.Status == audit.Skip || len(guesses)%34 != 0 || len(guesses) == 0 {
		t.Errorf("got %v %q with %d accounts, want timings of 34 at once", f.Status, f.Reason, len(guesses))
	}
	for mail, n := range guesses {
		if n > 3 {
			t.Errorf("%s was guessed at %d times, want fewer than 4", mail, n)
		}
	}
}

// Too few accounts for that are none that are used up, and the finding says how many more
// would do; the probes after it have theirs.
func TestTooFewAccountsForTimings(t *testing.T) {
	t.Parallel()
	g, guesses := byAccount(t, 4, true)
	g.Accounts = g.Accounts[:31] // the first of which is an admin
	f := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU2", "LK13"), g, audit.Options{Patience: time.Minute}).Findings
	const want = "it needs 34 accounts that no probe has used: 100 timings of known accounts, and limits.login allows 3 at each that lock nobody out; 30 are left, 11 of them for the probes after it: 15 more in the file of accounts would do"
	if f[0].Status != audit.Skip || f[0].Reason != want || len(guesses) > 0 {
		t.Errorf("got %v %q after guesses at %d, want %q", f[0].Status, f[0].Reason, len(guesses), want)
	}
	if f[1].Status != audit.Pass && !crowded(f[1]) {
		t.Errorf("LK13 after it: got %v %q, want PASS", f[1].Status, f[1].Reason)
	}
}

// A limit that the profile tells otherwise is named as what keeps timings from coming about.
func TestUntoldLimitsKeepTimingsFromComingAbout(t *testing.T) {
	t.Parallel()
	g, _ := byAccount(t, 4, false)
	f := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU2"), g, audit.Options{Patience: time.Minute}).Findings[0]
	if f.Status != audit.Skip || !strings.Contains(f.Reason, "only 40 and 100 timings came about, want 90 of each; the other answers: 60×429: a limit refused them, and limits.login of the profile is 5 by address") {
		t.Errorf("got %v %q, want a skip that says what refused them", f.Status, f.Reason)
	}
}

// An address is sent from no more often than its limit says.
func TestTimingsKeepALimitByAddress(t *testing.T) {
	t.Parallel()
	for limit, most := range map[int]int{1: 1, 3: 3, 5: 4} {
		s := audittest.New("")
		s.Limit("login", limit)
		var mu sync.Mutex
		from := map[netip.Addr]int{}
		g := through(t, s, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/session" {
				mu.Lock()
				from[netip.MustParseAddrPort(r.RemoteAddr).Addr()]++
				mu.Unlock()
			}
		})
		l := g.Profile.Limits["login"]
		l.Limit = limit
		g.Profile.Limits["login"] = l
		f := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU2"), g, audit.Options{Patience: time.Minute}).Findings[0]
		n := 0
		for _, sent := range from {
			n = max(n, sent)
		}
		if f.Status == audit.Skip || n != most {
			t.Errorf("limit %d: got %v %q with %d from one address, want %d", limit, f.Status, f.Reason, n, most)
		}
	}
}
