package load_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vitals/internal/load"
	"vitals/scenarios"
)

// Every task is sent once, what one saves is there for the next wherever it stands,
// what went wrong is said, and no secret is shown.
func TestOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /in":
			w.Header().Set("Set-Cookie", "sid=cookie-secret")
			_, _ = w.Write([]byte(`{"token":"token-secret", "renewal": {"value": "nobody-saves-this-one"}, "name": "Anna"}`))
		case "POST /renew", "POST /out":
			if got := r.Header.Get("Authorization"); got != map[string]string{"/out": "Bearer renewed-secret"}[r.URL.Path] {
				t.Errorf("%s: got %q", r.URL.Path, got)
			}
			_, _ = w.Write([]byte(`{"token":"renewed-secret"}`))
		case "GET /things":
			_, _ = w.Write([]byte(`{"items":[{"id":"t1"}]}`))
		case "GET /things/t1":
			if r.Header.Get("Authorization") != "Bearer token-secret" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		default:
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("short and stout"))
		}
	}))
	defer s.Close()
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Read(strings.NewReader(`
name: once
users: 100
run_for: 10m
accounts:
  sign_in: {post: /in, body: {mail: "{{email}}", word: "{{password}}"}, save: {token: json:token}}
  refresh: {post: /renew, save: {token: json:token}}
  sign_out: {post: /out}
journeys:
  - name: j
    tasks:
      - {name: one, get: "/things/{{id}}", header: {Host: shop.example}}
      - {name: all, get: /things, save: {id: json:items.0.id}}
      - name: tea
        steps: [{name: brew, get: /tea}, {name: drink, get: /cup}]
      - {name: never, get: "/x/{{gone}}"}
      - {name: source, get: /source, save: {gone: json:gone}}
`), "once.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	all := ""
	err = load.Once(t.Context(), sc, load.Options{Base: base, Accounts: []load.Account{{Email: "a@example.com", Password: "password-secret"}}}, func(x load.Exchange) {
		line := x.Step + ": " + x.Why
		if x.Unsent {
			line = "unsent " + line
		}
		got = append(got, line)
		all += x.Sent + x.Got + x.Why
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(all, "nobody-saves-this-one") || !strings.Contains(all, "Anna") {
		t.Errorf("a token that nobody saves is shown, or a name is not:\n%s", all)
	}
	if !strings.Contains(all, "GET /things/t1\nHost: shop.example\n") {
		t.Errorf("the Host that was asked for is not shown:\n%s", all)
	}
	want := []string{"sign in: ", "all: ", "brew: want any 2xx, got 418", `unsent drink: step "brew" before it went wrong`, "source: want any 2xx, got 418", "one: ", "unsent never: no answer saved {{gone}}", "refresh: ", "sign out: "}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(all, "short and stout") || !strings.Contains(all, "a@example.com") || strings.Contains(all, "-secret") {
		t.Errorf("got %s, want bodies without secrets", all)
	}
}
