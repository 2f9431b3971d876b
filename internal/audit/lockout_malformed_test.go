package audit_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// refuser is an API that answers malformed sign-ins by a status of its own, and counts them
// as failures or not; form says that a sign-in is a form.
type refuser struct {
	status        int
	counted, form bool
	most          int // requests of any kind from one address; 0 = any number
}

func (s refuser) serve(t *testing.T) *audit.Target {
	t.Helper()
	var mu sync.Mutex
	failed, asked := map[string]int{}, map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		var in struct{ User, Password string }
		if s.form {
			in.User, in.Password = r.FormValue("user"), r.FormValue("password")
		} else {
			_ = json.NewDecoder(r.Body).Decode(&in)
		}
		mu.Lock()
		defer mu.Unlock()
		asked[from]++
		switch {
		case s.most > 0 && asked[from] > s.most:
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		case in.User == "" && !s.counted:
			w.WriteHeader(s.status)
		case failed[from] >= 5:
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		case in.User == "":
			failed[from]++
			w.WriteHeader(s.status)
		case in.Password == "Right-1":
			fmt.Fprint(w, `{"access_token": "drawn-by-chance-77"}`)
		default:
			failed[from]++
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Read(strings.NewReader(fmt.Sprintf(`
profile: refuser
limits: {login: {limit: 5, window: 60s, counts: failures, by: address}, api: {limit: %d, window: 60s, by: address}}
operations: {login: {method: POST, path: /login, form: %v, body: {user: "{{email}}", password: "{{password}}"}, refused: 401, policy: login}}
`, cmp.Or(s.most, 100), s.form)), "refuser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return &audit.Target{
		URL: u, Profile: p, Own: true, Accounts: []audit.Account{{Email: "ann@refuser.example", Password: "Right-1"}},
		Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 11, byte(n >> 8), byte(n)}) },
	}
}

// How a malformed sign-in is refused, nobody promised: that it does not count is. One that
// is answered as a wrong password is may count as one.
func TestMalformedSignInsAreNotCounted(t *testing.T) {
	t.Parallel()
	const note = "they are answered as a wrong password is, and counted as one"
	for _, c := range []struct {
		api    refuser
		want   audit.Status
		reason string
		note   string
	}{
		{refuser{status: 400}, audit.Pass, "", ""},
		{refuser{status: 400, most: 10}, audit.Pass, "", ""},
		{refuser{status: 401, most: 10}, audit.Pass, "", ""},
		{refuser{status: 401, counted: true, most: 10}, audit.Pass, "", ""},
		{refuser{status: 400, counted: true, most: 10}, audit.Fail, "", ""},
		{refuser{status: 401}, audit.Pass, "", ""},
		{refuser{status: 403}, audit.Pass, "", ""},
		{refuser{status: 401, form: true}, audit.Pass, "", ""},
		{refuser{status: 401, counted: true}, audit.Pass, "", note},
		{refuser{status: 401, counted: true, form: true}, audit.Pass, "", note},
		{refuser{status: 400, counted: true}, audit.Fail, "after 20 malformed sign-ins, want it judged: they are counted as failures", ""},
		{refuser{status: 200}, audit.Fail, "got 200, want a refusal of its form", ""},
		{refuser{status: 302}, audit.Fail, "got 302, want a refusal of its form", ""},
		{refuser{status: 500}, audit.Fail, "got 500, want a refusal of its form", ""},
	} {
		for name, change := range map[string]func(*audit.Target){
			"":            func(*audit.Target) {},
			"no accounts": func(g *audit.Target) { g.Accounts = nil },
			"one address": func(g *audit.Target) { g.Source = nil },
		} {
			g := c.api.serve(t)
			change(g)
			rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK25"), g, audit.Options{Patience: time.Minute})
			f, want, told := rep.Findings[0], c.want, c.note
			if g.Source == nil && c.note != "" {
				want = audit.Skip
			}
			if f.Status != want || !strings.Contains(f.Reason, c.reason) || !strings.Contains(strings.Join(f.Notes, "\n"), told) {
				t.Errorf("%+v %s: got %v %q, notes %q, want %v %q, note %q", c.api, name, f.Status, f.Reason, f.Notes, want, c.reason, told)
			}
			if c.want == audit.Pass && len(rep.Violations) > 0 {
				t.Errorf("%+v %s: accused: %v", c.api, name, rep.Violations)
			}
			if told != "" && f.Title != "preflights neither count as failures nor come free" {
				t.Errorf("%+v %s: titled %q, which was not seen", c.api, name, f.Title)
			}
		}
	}
}

// What malformed sign-ins and preflights cost of a general limit is the guide's promise: of
// an API that counts its general limit by user, none of it is asked.
func TestWhatMalformedSignInsCostIsAskedOfTheGuideAlone(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "100")
		w.Header().Set("X-RateLimit-Remaining", "99")
		w.WriteHeader(http.StatusUnauthorized)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Password string }
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Read(strings.NewReader(`
profile: by-user
limits:
  login: {limit: 5, window: 60s, counts: failures, by: address}
  api: {limit: 100, window: 60s, by: user, counts: requests}
promises: {limit_headers: {form: x-ratelimit, retry_after: true}}
operations:
  login: {method: POST, path: /login, body: {email: "{{email}}", password: "{{password}}"}, refused: 401, policy: login}
  me: {path: /me, refused: 401}
`), "by-user.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := &audit.Target{URL: u, Profile: p, Own: true, Source: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 11, byte(n >> 8), byte(n)}) }}
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK25"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.Status != audit.Pass {
		t.Errorf("got %v %q, want PASS", f.Status, f.Reason)
	}
}
