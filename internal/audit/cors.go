package audit

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"vitals/internal/profile"
)

func crossOrigin() []Probe {
	return append([]Probe{
		{
			ID: "CO1", Title: "an allowed origin may read answers, with credentials, and caches are told", Guide: "hardening-summary:54", Class: Safe, run: corsAllowed,
			Why: "Without Vary: Origin a shared cache hands one origin's permission to another.",
			Fix: "Echo exactly the allowed origin, allow credentials, add Vary: Origin to every answer, answer preflights with 204.",
		},
		{
			ID: "CO2", Title: "foreign and look-alike origins get no permission", Guide: "hardening-summary:33", Class: Safe, run: corsForeign,
			Why: "One look-alike that is let in reads patients' records with their own session.",
			Fix: "Compare origins whole, byte by byte, with a list; never null, never by prefix or suffix.",
		},
		{
			ID: "CO3", Title: "preflights grant no method or header beyond the list, and never *", Guide: "hardening-summary:58", Class: Safe, run: corsPreflight,
			Why: "A wildcard, or an echoed header, turns the list of what is allowed into decoration.",
			Fix: "Answer preflights from fixed lists; no * beside credentials.",
		},
		{
			ID: "CO4", Title: "refusals can be read by an allowed origin", Guide: "production-guide:157", Class: Intrusive, run: corsRefusals,
			Why: "A 429 without CORS headers is a network error in a browser: the page cannot tell the user how long to wait.",
			Fix: "Put CORS outside of every layer that can refuse; expose Retry-After and X-RateLimit-*.",
		},
	}, corsControl()...)
}

const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
)

// origin is an origin that the target allows, by --origin or as the profile promises;
// "" when nobody told one.
func (g *Target) origin() string {
	if p := g.Profile.Promises.CORS; g.Origin == "" && p != nil && len(p.Origins) > 0 {
		return p.Origins[0]
	}
	return g.Origin
}

// Origin is an origin that the target allows; skips when nobody told one.
func (t *T) Origin() string {
	origin := t.target.origin()
	if origin == "" {
		t.Skip("it needs an origin that the target allows (--origin)")
	}
	return origin
}

// listed tells whether a comma-separated header names a word, or everything.
func listed(h http.Header, name, word string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if p := strings.TrimSpace(part); p == "*" || strings.EqualFold(p, word) {
				return true
			}
		}
	}
	return false
}

// crossOriginOperation is what is asked for from another origin: not /health, for
// health checks carry no CORS headers by design.
func (t *T) crossOriginOperation() string {
	if _, ok := t.target.Profile.Operations["me"]; ok {
		return "me"
	}
	return "list"
}

func (t *T) crossOriginRequest(origin string) Request {
	q := t.Request(t.crossOriginOperation(), t.plain(), "", nil)
	q.Header.Set("Origin", origin)
	return q
}

func (t *T) preflight(origin, method, header string) Request {
	q := t.crossOriginRequest(origin)
	q.Header.Set("Access-Control-Request-Method", method)
	if header != "" {
		q.Header.Set("Access-Control-Request-Headers", header)
	}
	q.Method, q.Policy = http.MethodOptions, ""
	return named(q)
}

// named gives a preflight the label that says what it asks for, and where.
func named(q Request) Request {
	q.Label = "preflight " + q.Header.Get("Access-Control-Request-Method") + " " + q.Path
	if header := q.Header.Get("Access-Control-Request-Headers"); header != "" {
		q.Label += " with " + header
	}
	return q
}

func (t *T) allowed(a Answer, origin string) {
	t.Check(a.Header.Get(allowOrigin) == origin, "%v: %s is %q, want %q", a, allowOrigin, a.Header.Get(allowOrigin), origin)
	if p := t.promise().CORS; p == nil || p.Credentials {
		t.Check(a.Header.Get(allowCredentials) == "true", "%v: %s is %q, want true", a, allowCredentials, a.Header.Get(allowCredentials))
	}
	t.Check(listed(a.Header, "Vary", "Origin"), "%v: Vary is %q, want Origin in it", a, strings.Join(a.Header.Values("Vary"), ", "))
}

func corsAllowed(t *T) {
	origin := t.Origin()
	q := t.crossOriginRequest(origin)
	a := t.Send(q)
	if a.Status == 0 {
		t.Fail("%v: got %s", a, a.got())
		return
	}
	t.allowed(a, origin)
	q.Header = http.Header{}
	q.Label = "without Origin"
	a = t.Send(q)
	t.Check(listed(a.Header, "Vary", "Origin"), "%v: Vary is %q, want Origin in it", a, strings.Join(a.Header.Values("Vary"), ", "))
	for _, method := range t.methods() {
		a, there := t.preflighted(origin, method)
		if !there {
			t.Note("what a %s from elsewhere is granted was not looked at: no path that takes it could be made up", method)
			continue
		}
		t.Check(a.Status/100 == 2, "%v: got %s, want 204", a, a.got()) // browsers take any 2xx
		t.allowed(a, origin)
		simple := method == "GET" || method == "POST" // need no grant
		t.Check(simple || listed(a.Header, allowMethods, method), "%v: %s is %q, want %s in it", a, allowMethods, a.Header.Get(allowMethods), method)
		t.Check(listed(a.Header, allowHeaders, "authorization"), "%v: %s is %q, want authorization in it", a, allowHeaders, a.Header.Get(allowHeaders))
	}
}

// madeUp are ids of the usual forms, for paths that need one.
var madeUp = []string{"1", "00000000-0000-4000-8000-000000000001", "vitals-audit"}

// preflighted is the answer to a preflight where a method is served: at me, else at any
// operation that is sent with it. False when there is no such path.
func (t *T) preflighted(origin, method string) (a Answer, there bool) {
	q := t.preflight(origin, method, "authorization,content-type")
	ops := t.target.Profile.Operations
	if ops["me"].Method == method || !t.uses(method) {
		return t.Send(q), true
	}
	for _, name := range slices.Sorted(maps.Keys(ops)) {
		if ops[name].Method != method || ops[name].Policy == "none" {
			continue
		}
		for _, id := range madeUp {
			m, err := t.run.message(t.target, name, "", values{"id": id})
			if err != nil {
				break // it needs more than an id
			}
			q.Path = m.Path
			if a = t.Send(named(q)); a.Status != http.StatusNotFound {
				return a, true
			}
		}
	}
	return a, false
}

// uses tells whether any of the profile's operations is sent with a method.
func (t *T) uses(method string) bool {
	for _, op := range t.target.Profile.Operations {
		if op.Method == method {
			return true
		}
	}
	return false
}

// methods are what the profile's operations are sent with: an API need not grant
// what it does not have.
func (t *T) methods() []string {
	used := []string{http.MethodGet, http.MethodPost}
	for _, op := range t.target.Profile.Operations {
		used = append(used, op.Method)
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// lookAlikes are origins that a careless comparison takes for the allowed one.
func lookAlikes(allowed string) []string {
	out := []string{"https://evil.example", "null", "https://", "file://"}
	u, err := url.Parse(allowed)
	if err != nil || u.Host == "" {
		return out
	}
	other := map[string]string{"https": "http", "http": "https"}[u.Scheme]
	host, port := u.Hostname(), ""
	if u.Port() != "" {
		port = ":" + u.Port()
	}
	return append(out,
		allowed+".evil.example",
		u.Scheme+"://evil"+host+port,
		u.Scheme+"://sub."+host+port,
		u.Scheme+"://"+host+":4444",
		other+"://"+u.Host,
		u.Scheme+"://"+strings.ToUpper(host)+port,
		u.Scheme+"://"+host+"."+port,
		allowed+"/",
		u.Scheme+"://"+strings.ReplaceAll(host, ".", "-")+port,
		allowed+" "+"https://evil.example",
	)
}

// alikes are checks of one thing over many origins, told in one line.
type alikes struct {
	all, off int
	origins  []string // that it did not hold for
	example  string   // the first of them
}

func (l *alikes) note(ok bool, origin, format string, args ...any) {
	if l.all++; ok {
		return
	}
	if l.off++; l.off == 1 {
		l.example = fmt.Sprintf(format, args...)
	}
	if !slices.Contains(l.origins, origin) {
		l.origins = append(l.origins, origin)
	}
}

func (l *alikes) check(t *T) {
	for range l.all - l.off {
		t.Check(true, "")
	}
	if l.off == 0 {
		return
	}
	from := "every origin that was tried"
	if l.off < l.all {
		from = strings.Join(l.origins, ", ")
	}
	t.Fail("%s; the same in %d of %d requests, from %s", l.example, l.off, l.all, from)
}

func corsForeign(t *T) {
	ours := t.target.origin()
	var silent, granted, credentials, vary alikes
	for _, origin := range lookAlikes(ours) {
		if origin == ours {
			continue
		}
		for _, q := range []Request{t.crossOriginRequest(origin), t.preflight(origin, "DELETE", "")} {
			a := t.Send(q)
			silent.note(a.Status != 0, origin, "%v: got %s", a, a.got())
			if a.Status == 0 {
				continue
			}
			got, with := a.Header.Get(allowOrigin), ""
			if c := a.Header.Get(allowCredentials); c != "" {
				with = fmt.Sprintf(" with %s: %s", allowCredentials, c)
			}
			granted.note(got == "", origin, "%v: origin %q got %s: %s%s", a, origin, allowOrigin, got, with)
			credentials.note(got != "" || with == "", origin, "%v: origin %q got no %s, but one%s", a, origin, allowOrigin, with)
			vary.note(ours == "" || listed(a.Header, "Vary", "Origin"), origin, "%v: origin %q: Vary is %q, want Origin in it", a, origin, strings.Join(a.Header.Values("Vary"), ", "))
		}
	}
	for _, one := range []alikes{silent, granted, credentials, vary} {
		one.check(t)
	}
	if ours == "" {
		t.Note("look-alikes of an allowed origin, and Vary, were not tried: --origin names none")
	}
}

func corsPreflight(t *T) {
	origin := t.target.origin()
	if origin == "" {
		origin = "https://evil.example"
		t.Note("tried with a foreign origin: --origin names none that is allowed")
	}
	wild := func(a Answer) {
		t.Check(a.Status != 0, "%v: got %s", a, a.got())
		for _, name := range []string{allowOrigin, allowMethods, allowHeaders, exposeHeaders} {
			t.Check(!slices.Contains(a.Header.Values(name), "*") || a.Header.Get(allowCredentials) != "true", "%v: %s is * beside credentials", a, name)
		}
	}
	lists := t.guide() // the profile's own promise is about origins, and the standard's too
	if !lists {
		t.Checked("preflights never grant * beside credentials")
		t.Note("which methods and headers are granted was not judged: the profile has no list of them")
	}
	a := t.Send(t.preflight(origin, "PURGE", ""))
	wild(a)
	guide := t.By(profile.ProductionGuide)
	guide.Check(!lists || !listed(a.Header, allowMethods, "PURGE"), "%v: the method PURGE was granted", a)
	a = t.Send(t.preflight(origin, "POST", "x-evil"))
	wild(a)
	guide.Check(!lists || !listed(a.Header, allowHeaders, "x-evil"), "%v: the header X-Evil was granted", a)
	wild(t.Send(t.crossOriginRequest(origin)))
}

func corsRefusals(t *T) {
	origin, from := t.Origin(), t.Address()
	readable := func(a Answer) {
		t.allowed(a, origin)
		t.Check(!t.tellsWait() || listed(a.Header, exposeHeaders, "Retry-After"), "%v: %s is %q, want Retry-After in it", a, exposeHeaders, a.Header.Get(exposeHeaders))
	}
	q := t.crossOriginRequest(origin)
	a := t.Send(q)
	if t.Check(a.Status >= 400, "%v: got %s, want a refusal", a, a.got()) { // with which status is no matter of CORS
		readable(a)
	}
	login := t.Login(from, unknownAccount(), wrongPassword())
	login.Header.Set("Origin", origin)
	big := login
	big.Body, big.Label = bytes.Repeat([]byte(" "), 70<<10), "body of 70 kB"
	if a = t.Send(big); a.Status >= 400 { // whatever it is refused with
		readable(a)
	}
	for range t.Limit("login").Limit + 1 {
		a = t.Send(login)
	}
	if t.WantRefused("login", a) {
		readable(a)
	}
}
