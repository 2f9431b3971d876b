package audit_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

const cookiedProfile = `
profile: site
promises: {objects: {private: true}}
limits: {login: {limit: 5, window: 60s}}
operations:
  login: {method: POST, path: /login, form: true, body: {user: "{{email}}", password: "{{password}}"}, ok: 303, refused: 422, policy: login}
  me: {path: /me, refused: 403}
  list: {path: /things}
  create: {method: POST, path: /things, body: {text: a}}
  get: {path: "/things/{{id}}"}
  logout: {method: POST, path: /logout}
`

// Who signs in by a cookie is not signed in here: what asks for a session is skipped, with
// that reason, what the profile does not have is not asked, and nothing is accused.
func TestASessionThatIsACookie(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login" && r.FormValue("password") == "Right-1":
			http.SetCookie(w, &http.Cookie{Name: "desk", Value: "drawn-by-chance-77"})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
		case r.URL.Path == "/login":
			w.WriteHeader(http.StatusUnprocessableEntity)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer s.Close()
	u, _ := url.Parse(s.URL)
	p, err := profile.Read(strings.NewReader(cookiedProfile), "site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := &audit.Target{URL: u, Profile: p, Own: true, Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 8, byte(n >> 8), byte(n)}) }}
	for range 60 {
		g.Accounts = append(g.Accounts, audit.Account{Email: "ann@site.example", Password: "Right-1"})
	}
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU3", "AU4", "AU5", "AU6", "AU9", "AU10", "AU11", "AU13"), g, audit.Options{Patience: time.Minute})
	for _, f := range rep.Findings {
		want := audit.NotAsked
		if slices.Contains([]string{"AU3", "AU10", "AU11", "AU13"}, f.ID) {
			want = audit.Skip
		}
		if f.Status != want || want == audit.Skip && !strings.Contains(f.Reason, "the cookie desk") {
			t.Errorf("%s: got %v %q, want %v", f.ID, f.Status, f.Reason, want)
		}
	}
}
