package audit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

func surface() []Probe {
	return append([]Probe{
		{
			ID: "SH1", Title: "security headers are on every kind of answer", Guide: "production-guide:333", Class: Safe, run: securityHeaders,
			Why: "An error page without them is sniffed, framed or cached like any page of an attacker's choice.",
			Fix: "Set nosniff, a CSP of default-src 'none', X-Frame-Options, Referrer-Policy, Cache-Control: no-store, and HSTS over TLS, before anything can write.",
		},
		{
			ID: "SH2", Title: "odd methods, types, sizes and framings are refused by their own status", Guide: "hardening-summary:58", Class: Safe, run: oddRequests,
			Why: "What is not refused early is parsed, buffered or forwarded; two framings of one request let a second one be smuggled past a proxy.",
			Fix: "405 with Allow, 415, 413, 431, a bound on JSON depth, and the connection closed after Content-Length beside Transfer-Encoding.",
		},
		{
			ID: "SH3", Title: "metrics, profiles, documents and stray files are not on the public port", Guide: "hardening-summary:9", Class: Safe, run: strayPaths,
			Why: "A profile or a .env on the public port hands out memory, keys or load for the asking.",
			Fix: "Serve them on a listener of their own; answer 404 here.",
		},
	}, slices.Concat(surfaceIntrusive(), surfaceValues(), surfaceControl())...)
}

func securityHeaders(t *T) {
	look := func(a Answer) {
		if a.Status == 0 {
			t.Fail("%v: got %s", a, a.got())
			return
		}
		has := func(name string, parts ...string) {
			got := strings.Join(a.Header.Values(name), ", ")
			for _, part := range parts {
				t.Check(strings.Contains(strings.ToLower(got), part), "%v (%d): %s is %q, want %s", a, a.Status, name, got, part)
			}
		}
		promised := t.promise().SecurityHeaders
		if promised != nil {
			for _, name := range slices.Sorted(maps.Keys(promised.Headers)) {
				parts := promised.Headers[name]
				t.Check(len(parts) > 0 || a.Header.Get(name) != "", "%v (%d): no %s", a, a.Status, name)
				for _, part := range parts {
					has(name, strings.ToLower(part))
				}
			}
			if !t.guide() {
				return
			}
		} else { // the minimum of the standard for an API
			has("X-Content-Type-Options", "nosniff")
			has("Content-Security-Policy", "frame-ancestors")
			t.Check(a.Header.Get("Referrer-Policy") != "", "%v (%d): no Referrer-Policy", a, a.Status)
			has("Cache-Control", "no-store")
		}
		if t.target.URL.Scheme == "https" {
			has("Strict-Transport-Security", "max-age=", "includesubdomains")
		}
		t.Check(a.Header.Get("Server") == "" && a.Header.Get("X-Powered-By") == "", "%v: it names its software: %q %q", a, a.Header.Get("Server"), a.Header.Get("X-Powered-By"))
		t.Check(!strings.HasPrefix(strings.TrimSpace(a.Header.Get("X-XSS-Protection")), "1"), "%v: X-XSS-Protection is on; the filter it turns on has holes of its own", a)
	}
	kinds := t.kinds()
	for _, q := range kinds[:min(3, len(kinds))] { // 200, 404, 401
		look(t.Send(q))
	}
	if t.lockable() {
		from := t.Address()
		for range t.Limit("login").Limit + 1 {
			if a := t.Guess(from, unknownAccount()); t.read("login", a) == profile.Refused {
				look(a)
				return
			}
		}
	}
	t.Note("a refusal by a limit was not looked at: it takes a target of one's own, and a limit on signing in")
}

func oddRequests(t *T) {
	login := t.Request("login", t.plain(), "", values{"email": "audit@vitals.test", "password": "x"})
	// Nothing here is a credential, not even to an API that reads a body whatever its
	// type and size: there is none in it.
	login.Policy, login.Body = "", []byte("{}")
	odd := func(label string, change func(*Request), want ...int) {
		q := login
		q.Header, q.Label = login.Header.Clone(), label
		change(&q)
		a := t.Send(q)
		if t.Want(a, want...) && a.Status == http.StatusMethodNotAllowed {
			t.Check(a.Header.Get("Allow") != "", "%v: 405 without Allow", a)
		}
	}
	odd("TRACE", func(q *Request) { q.Method, q.Body = http.MethodTrace, nil }, http.StatusMethodNotAllowed)
	odd("unknown method", func(q *Request) { q.Method, q.Body = "BREW", nil }, http.StatusMethodNotAllowed, http.StatusNotImplemented)
	odd("text/plain sign-in", func(q *Request) { q.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType)
	odd("body of 70 kB", func(q *Request) { q.Body = append(bytes.Repeat([]byte(" "), 70<<10), q.Body...) }, http.StatusRequestEntityTooLarge)
	odd("JSON 1000 deep", func(q *Request) {
		q.Body = []byte(`{"audit":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`)
	}, http.StatusBadRequest, http.StatusUnprocessableEntity)
	a := t.Raw("GET", t.Operation("health").Path, "X-Padding: "+strings.Repeat("a", 40<<10), "", "header of 40 kB")
	t.Want(a, http.StatusRequestHeaderFieldsTooLarge)
	t.framing(login.Path)
}

// framing sends a request whose length is told twice, with what would be a
// second request inside the longer body. RFC 9112 6.1: refuse it, or answer it
// and close; a second answer means that the rest was taken for a request.
func (t *T) framing(path string) {
	host := t.target.URL.Host
	prefix := wire.Prefix(t.target.URL)
	smuggled := fmt.Sprintf("GET %s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", prefix, t.Operation("health").Path, host)
	body := "0\r\n\r\n" + smuggled
	text := fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%s",
		prefix, path, host, len(body), body)
	answers := t.Wire(t.plain(), text, "two framings")
	t.Check(answers[0].Status >= 400, "%v: got %s, want it refused", answers[0], answers[0].got())
	t.Check(len(answers) == 1, "%v: %d answers to one request that told its length twice: the rest of its body was taken for a second request (RFC 9112 6.1 asks to close)", answers[len(answers)-1], len(answers))
	twice := fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 20\r\n\r\n{}%s", prefix, path, host, smuggled)
	answers = t.Wire(t.plain(), twice, "two lengths")
	t.Check(len(answers) == 1 && answers[0].Status == http.StatusBadRequest, "%v: got %s and %d answers, want one 400", answers[0], answers[0].got(), len(answers))
}

// location is where on the same host a redirect points to.
func (a Answer) location() (string, error) {
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.Status/100 != 3 || to.Host != "" || !strings.HasPrefix(to.Path, "/") {
		return "", errors.New("not redirected within the host")
	}
	return to.RequestURI(), nil
}

func strayPaths(t *T) {
	from := t.plain()
	get := func(path string) Answer {
		a := t.Send(Request{Path: path, From: from, Policy: "api"})
		if to, err := a.location(); err == nil { // a router that tidies paths has served nothing yet
			a = t.Send(Request{Path: to, From: from, Policy: "api", Label: "GET " + path + ", redirected"})
		}
		return a
	}
	// A page that comes for every path, as one application's does, shows nothing.
	unknown := get("/vitals-audit-no-such-path")
	same := 0
	for _, path := range []string{
		"/metrics", "/debug/pprof/", "/debug/vars", "/docs", "/redoc", "/openapi.json", "/openapi.yaml", "/swagger-ui/", "/.env", "/.git/config",
		"/.git/HEAD", "/server-status", "/actuator", "/api/v1/admin", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
	} {
		a := get(path)
		if unknown.Status/100 == 2 && a.Status == unknown.Status && bytes.Equal(a.Body, unknown.Body) {
			same++
			continue
		}
		t.Check(a.Status == http.StatusNotFound || a.Status == http.StatusBadRequest, "%v: got %s, want 404", a, a.got())
	}
	if same > 0 {
		t.Check(true, "")
		t.Note("%d paths were answered %d with the page that any unknown path gets", same, unknown.Status)
	}
}
