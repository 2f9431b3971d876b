package audit_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

const legacyProfile = `
profile: legacy
limits: {login: {limit: 5, window: 60s, lock: 60s, counts: failures, by: address, statuses: [403]}}
operations:
  health: {path: /up, policy: none}
  login: {method: POST, path: /login, form: true, body: {user: "{{email}}", password: "{{password}}"}, ok: 302, refused: 401, policy: login}
`

// legacy is a sound site of pages: whoever is not signed in is sent to the form, whatever
// path they ask for, by the status that a right password is answered with as well.
func legacy(t *testing.T) *audit.Target {
	t.Helper()
	var mu sync.Mutex
	failed, locked := map[string]int{}, map[string]time.Time{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/up":
		case r.URL.Path != "/login" || r.Method != http.MethodPost:
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.Path), http.StatusFound)
		case time.Now().Before(locked[from]):
			w.Header().Set("Retry-After", strconv.Itoa(int(time.Until(locked[from]).Seconds())+1))
			w.WriteHeader(http.StatusForbidden)
		case r.FormValue("password") == "Right-1":
			http.SetCookie(w, &http.Cookie{Name: "desk", Value: "drawn-by-chance-77"})
			http.Redirect(w, r, "/home", http.StatusFound)
		default:
			if failed[from]++; failed[from] > 5 {
				failed[from], locked[from] = 0, time.Now().Add(time.Minute)
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Read(strings.NewReader(legacyProfile), "legacy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := &audit.Target{URL: u, Profile: p, Own: true, Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 9, byte(n >> 8), byte(n)}) }}
	for range 20 {
		g.Accounts = append(g.Accounts, audit.Account{Email: "ann@legacy.example", Password: "Right-1"})
	}
	return g
}

// A redirect that tidies the path of a reset grants none.
func TestARedirectThatTidiesIsNoReset(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/forgot" && asked[from] >= 3:
			w.WriteHeader(http.StatusTooManyRequests)
		case r.URL.Path == "/forgot":
			asked[from]++
			http.Redirect(w, r, "/sent", http.StatusFound)
		case path.Clean(r.URL.Path) == "/forgot":
			http.Redirect(w, r, "/forgot", http.StatusFound)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	u, _ := url.Parse(s.URL)
	p, err := profile.Read(strings.NewReader(`
profile: legacy
limits: {password_reset: {limit: 3, window: 1h, by: address}}
operations: {password_reset: {method: POST, path: /forgot, form: true, body: {user: "{{email}}"}, ok: 302, policy: password_reset}}
`), "legacy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := &audit.Target{URL: u, Profile: p, Own: true, Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 10, byte(n >> 8), byte(n)}) }}
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK32"), g, audit.Options{})
	if f := rep.Findings[0]; f.Status != audit.Pass || len(rep.Violations) > 0 {
		t.Errorf("got %v %q, want PASS and no violation:\n%s", f.Status, f.Reason, show(rep))
	}
}

// The redirect to the form is no sign-in, by whatever spelling of the path it came, and
// judges nobody: neither where a right password can be tried, nor where it cannot.
func TestARedirectToTheFormIsNoSignIn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*audit.Target){
		"accounts":    func(*audit.Target) {},
		"no accounts": func(g *audit.Target) { g.Accounts = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := legacy(t)
			change(g)
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK20"), g, audit.Options{Patience: time.Minute})
			if f := rep.Findings[0]; f.Status != audit.Pass || len(rep.Violations) > 0 {
				t.Errorf("got %v %q, want PASS and no violation:\n%s", f.Status, f.Reason, show(rep))
			}
		})
	}
}
