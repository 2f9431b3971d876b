package audit

import (
	"cmp"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"vitals/internal/profile"
)

func surfaceErrors() []Probe {
	return []Probe{{
		ID: "SH9", Title: "every refusal has the form that errors are promised to have", Guide: "–", Class: Safe, run: errorForm,
		Why: "A client that reads errors by one form shows its user nothing, or a stack of HTML, where a router or a proxy answers by another.",
		Fix: "Answer 404, 405 and malformed bodies by the same function as all other errors.",
	}}
}

// errorForm looks at refusals of every kind that anybody can earn, and where somebody can
// be signed in, at theirs: a guard answers all others before what it guards is asked.
func errorForm(t *T) {
	e := t.promise().Errors
	if e == nil {
		t.Skip("the profile does not say what errors look like (promises.errors)")
	}
	kinds := t.kinds()
	if _, ok := t.target.Profile.Operations["login"]; ok {
		q := t.Request("login", t.plain(), "", values{"email": "x", "password": "x"})
		q.Body, q.Policy, q.Label = []byte(`{"`), "", "malformed body"
		kinds = append(kinds, q)
	}
	for _, q := range kinds {
		a := t.Send(q)
		if a.Status < http.StatusBadRequest {
			continue
		}
		t.errorOf(a, e.Type, e.Fields)
	}
	if s, _, why := t.signedIn(); why == "" {
		for _, a := range t.refusalsOf(s) {
			if a.Status >= http.StatusBadRequest {
				t.errorOf(a, e.Type, e.Fields)
			}
		}
	} else if _, ok := t.target.Profile.Operations["login"]; ok {
		t.Note("what somebody signed in is refused was not looked at: %s", why)
	}
	if t.lockable() {
		from, next := t.Address(), t.strangers()
		for range t.Limit("login").Limit + 1 {
			if a := t.Guess(from, next()); a.Status >= http.StatusBadRequest {
				t.errorOf(a, e.Type, e.Fields)
			}
		}
	}
}

// refusalsOf sends what is to be refused of somebody signed in: for a path that is not
// there, below the API's as well, for an object that is not there, and by a malformed
// body. What it counts under, nobody says.
func (t *T) refusalsOf(s session) (out []Answer) {
	send := func(q Request, label string) Answer {
		q.Label, q.Unsure = label, true
		out = append(out, t.Send(q))
		return out[len(out)-1]
	}
	ask := func(operation string, v values) (Request, bool) {
		m, err := t.run.message(t.target, operation, s.access, v)
		return message(m, s, operation), err == nil // else the profile has none such, or no text for it
	}
	q, ok := ask("me", nil)
	if !ok {
		q, ok = ask("list", nil)
	}
	nowhere := []string{"/vitals-audit-no-such-path", spell("{{folder}}vitals-audit-no-such-path", q.Path, 0)}
	for _, path := range slices.Compact(nowhere) {
		if ok {
			q.Method, q.Path, q.Body, q.Policy = http.MethodGet, path, nil, profile.API
			send(q, "unknown path, signed in")
		}
	}
	if q, ok := ask("get", values{"id": uuid.NewString()}); ok {
		send(q, "get of an unknown object")
	}
	if q, ok := t.filled("create", s, ""); ok && object(q.Body) != nil {
		q.Body, q.Policy = []byte(`{"`), profile.API
		t.remember(s, "create", send(q, "create by a malformed body"))
	}
	return out
}

// errorOf checks the form of one refusal.
func (t *T) errorOf(a Answer, kind string, fieldsOf []string) {
	got, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	t.Check(kind == "" || err == nil && strings.EqualFold(got, kind), "%v (%d): the error is %s, want %s", a, a.Status, cmp.Or(a.Header.Get("Content-Type"), "of no type"), kind)
	t.Check(!traced(a.Body), "%v (%d): the error holds a stack trace: %s", a, a.Status, cut(string(a.Body)))
	m := fields(a)
	for _, name := range fieldsOf {
		_, there := m[name]
		t.Check(there, "%v (%d): the error has no %s: %s", a, a.Status, name, cut(string(a.Body)))
	}
}

// traces are how the stack traces of common languages read.
var traces = regexp.MustCompile(`Traceback \(most recent call last\)|File \\?"[^"]+\\?", line \d+|\bat [\w$.<>]+\([\w$.]+\.(?:java|kt|scala):\d+\)|\bat .{1,120} in .{1,200}:line \d+|\bat .{1,120}\(?(?:/|[A-Z]:\\)[^)\s]{1,200}\.[jt]s:\d+:\d+|goroutine \d+ \[\w+|#\d+ /[^\s(]+\.php\(\d+\)|\.rb:\d+:in `)

// traced tells whether an answer shows the inside of the program that gave it.
func traced(body []byte) bool { return traces.Match(body) }
