package audit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
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
	promised, kinds := t.promise().SecurityHeaders, t.kinds()
	var answers []Answer
	for _, q := range kinds[:min(3, len(kinds))] { // 200, 404, 401
		answers = append(answers, t.Send(q))
	}
	refused := false
	if t.lockable() {
		from, next := t.Address(), t.strangers()
		for range t.Limit("login").Limit + 1 {
			if a := t.Guess(from, next()); t.read("login", a) == profile.Refused {
				answers, refused = append(answers, a), true
				break
			}
		}
	}
	if !refused {
		t.Note("a refusal by a limit was not looked at: it takes a target of one's own, and a limit on signing in")
	}
	answered := slices.DeleteFunc(slices.Clone(answers), func(a Answer) bool { return a.Status == 0 })
	for _, a := range answers {
		t.Check(a.Status > 0, "%v: got %s", a, a.got())
	}
	of := "the security headers that the standard asks for"
	if promised != nil {
		of = fmt.Sprintf("%d promised headers: %s", len(promised.Headers), strings.Join(slices.Sorted(maps.Keys(promised.Headers)), ", "))
	}
	t.Checked("%d kinds of answer carry %s", len(answered), of)
	for _, a := range answered {
		if promised != nil {
			t.promisedHeaders(a, promised)
		}
		if t.guide() {
			t := t.By(profile.ProductionGuide)
			if t.target.URL.Scheme == "https" {
				t.header(a, "Strict-Transport-Security", "max-age=", "includesubdomains")
			}
			t.Check(a.Header.Get("Server") == "" && a.Header.Get("X-Powered-By") == "", "%v: it names its software: %q %q", a, a.Header.Get("Server"), a.Header.Get("X-Powered-By"))
			t.Check(!strings.HasPrefix(strings.TrimSpace(a.Header.Get("X-XSS-Protection")), "1"), "%v: X-XSS-Protection is on; the filter it turns on has holes of its own", a)
		}
	}
	// A promise that is weaker than the standard says nothing of it.
	if promised == nil || t.holds(profile.ASVS) {
		if _, limited := t.target.limit("login"); limited && !refused {
			t.For("3.4.1", "3.4.3", "3.4.4", "3.4.5", "3.4.6").Missing("a refusal by a limit was not looked at")
		}
		t.By(profile.ASVS).standardHeaders(answered)
		t.By(profile.ASVS).uncached()
	}
}

// oddRequests looks at what the standard asks, and where the guide is promised at all
// that it says.
func oddRequests(t *T) {
	login := t.Request("login", t.plain(), "", values{"email": "audit@vitals.test", "password": "x"})
	// Nothing here is a credential, not even to an API that reads a body whatever its
	// type and size: there is none in it.
	login.Policy, login.Body = "", []byte("{}")
	send := func(label string, change func(*Request)) Answer {
		q := login
		q.Header, q.Label = login.Header.Clone(), label
		change(&q)
		return t.Send(q)
	}
	// Some servers answer any method as GET: that is no TRACE, which sends back what came.
	const canary = "vitals-audit-trace"
	traced := func(label, path string) Answer {
		a := send(label, func(q *Request) {
			q.Method, q.Body, q.Path = http.MethodTrace, nil, path
			q.Header.Set("X-Vitals-Trace", canary)
		})
		t.For("13.4.4").Check(a.Err == nil && !bytes.Contains(a.Body, []byte(canary)) && !strings.HasPrefix(a.Header.Get("Content-Type"), "message/http"), "%v: got %s, and the request is sent back: TRACE is supported", a, a.got())
		return a
	}
	trace := traced("TRACE", login.Path)
	traced("TRACE of health", t.Request("health", netip.Addr{}, "", nil).Path)
	brew := send("unknown method", func(q *Request) { q.Method, q.Body = "BREW", nil })
	for _, a := range []Answer{trace, brew} {
		t.For("4.1.4").Check(a.Status >= http.StatusBadRequest, "%v: got %s, want the method refused", a, a.got())
	}
	t.framing(login.Path)
	if !t.guide() {
		t.Checked("TRACE and unknown methods are refused, and a request whose length is told twice is no two")
		return
	}
	odd := func(a Answer, want ...int) {
		if t.Want(a, want...) && a.Status == http.StatusMethodNotAllowed {
			t.Check(a.Header.Get("Allow") != "", "%v: 405 without Allow", a)
		}
	}
	odd(trace, http.StatusMethodNotAllowed)
	odd(brew, http.StatusMethodNotAllowed, http.StatusNotImplemented)
	odd(send("text/plain sign-in", func(q *Request) { q.Header.Set("Content-Type", "text/plain") }), http.StatusUnsupportedMediaType)
	odd(send("body of 70 kB", func(q *Request) { q.Body = append(bytes.Repeat([]byte(" "), 70<<10), q.Body...) }), http.StatusRequestEntityTooLarge)
	odd(send("JSON 1000 deep", func(q *Request) {
		q.Body = []byte(`{"audit":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`)
	}), http.StatusBadRequest, http.StatusUnprocessableEntity)
	a := t.Raw("GET", t.Operation("health").Path, "X-Padding: "+strings.Repeat("a", 40<<10), "", "header of 40 kB")
	t.Want(a, http.StatusRequestHeaderFieldsTooLarge)
}

// framing sends requests whose length is told twice, and whose body holds what would
// be a second request by one of the two. The standard asks to go by the chunks; the
// guide, as RFC 9112 6.1 does, to refuse such a request, or to answer it and close.
func (t *T) framing(path string) {
	prefix, health := wire.Prefix(t.target.URL), t.Operation("health").Path
	post := func(lengths, body string) string {
		return fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%s\r\n\r\n%s", prefix, path, t.target.URL.Host, lengths, body)
	}
	second := fmt.Sprintf("GET %s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", prefix, health, t.target.URL.Host)
	std := t.For("4.2.1")
	short := t.Wire(t.plain(), post("Content-Length: 3\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"+second), "a length that is shorter than the chunks")
	last := short[len(short)-1]
	std.Check(short[0].Status > 0 && (len(short) == 1 || t.Operation("health").Succeeded(last.Status)), "%v: %d answers, the last %s: the length was believed beside the chunks, so that what is left of them was taken for a second request", last, len(short), last.got())
	twice := t.Wire(t.plain(), post("Content-Length: 2\r\nContent-Length: 20", "{}"+second), "two lengths")
	std.Check(len(twice) == 1 && twice[0].Status == http.StatusBadRequest, "%v: got %s and %d answers, want one 400", twice[0], twice[0].got(), len(twice))

	body := "0\r\n\r\n" + second
	both := t.Wire(t.plain(), post(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked", len(body)), body), "two framings")
	if !t.guide() {
		if len(both) > 1 {
			t.Note("%v: %d answers: RFC 9112 6.1 asks to close after a request with two framings", both[len(both)-1], len(both))
		}
		return
	}
	t.Check(both[0].Status >= 400, "%v: got %s, want it refused", both[0], both[0].got())
	t.Check(len(both) == 1, "%v: %d answers to one request that told its length twice: the rest of its body was taken for a second request (RFC 9112 6.1 asks to close)", both[len(both)-1], len(both))
}

// location is where on the same host a redirect points to.
func (a Answer) location() (string, error) {
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.Status/100 != 3 || to.Host != "" || !strings.HasPrefix(to.Path, "/") {
		return "", errors.New("not redirected within the host")
	}
	return wire.RequestTarget(to), nil
}

func strayPaths(t *T) {
	from := t.plain()
	get := func(path string) (a Answer, moved string) {
		a = t.Send(Request{Path: path, From: from, Policy: "api"})
		moved = a.lands()
		if to, err := a.location(); err == nil { // a router that tidies paths has served nothing yet
			a = t.Send(Request{Path: to, From: from, Policy: "api", Label: "GET " + path + ", redirected"})
		}
		return a, moved
	}
	// What comes for every path, as the page of one application or a guard's redirect,
	// shows nothing.
	unknown, away := get("/vitals-audit-no-such-path")
	same := 0
	for _, stray := range strays {
		if len(stray.of) == 0 && !t.guide() {
			continue // no standard asks
		}
		a, moved := get(stray.path)
		on := t.For(stray.of...)
		if moved != "" && moved == away { // to one form, whose text differs each time
			on.Check(true, "")
			continue
		}
		if a.Status == unknown.Status && unknown.Status/100 != 4 && unknown.Status > 0 && (unknown.Status/100 != 2 || bytes.Equal(a.Body, unknown.Body)) {
			on.Check(true, "")
			same++
			continue
		}
		if t.guide() {
			on.Check(a.Status == http.StatusNotFound || a.Status == http.StatusBadRequest, "%v: got %s, want 404", a, a.got())
		} else {
			on.Check(a.Status/100 == 4, "%v: got %s, want it refused", a, a.got())
		}
	}
	if same > 0 {
		t.Note("%d paths were answered %d as any unknown path is", same, unknown.Status)
	}
}

// strays are paths that nobody serves on purpose, each with the requirements that are
// about it; without one it is the guide's alone.
var strays = []struct {
	path string
	of   []string
}{
	{"/metrics", []string{"13.4.5"}}, {"/debug/pprof/", []string{"13.4.2", "13.4.5"}}, {"/debug/vars", []string{"13.4.2", "13.4.5"}},
	{"/docs", []string{"13.4.5"}}, {"/redoc", []string{"13.4.5"}}, {"/openapi.json", []string{"13.4.5"}}, {"/openapi.yaml", []string{"13.4.5"}},
	{"/swagger-ui/", []string{"13.4.5"}}, {"/server-status", []string{"13.4.5"}}, {"/actuator", []string{"13.4.5"}},
	{"/.git/config", []string{"13.4.1"}}, {"/.git/HEAD", []string{"13.4.1"}}, {"/.svn/entries", []string{"13.4.1"}}, {"/.svn/wc.db", []string{"13.4.1"}},
	{"/.env", []string{"13.4.7"}}, {"/../etc/passwd", []string{"13.4.7"}}, {"/%2e%2e/%2e%2e/etc/passwd", []string{"13.4.7"}},
	{"/api/v1/admin", nil},
}
