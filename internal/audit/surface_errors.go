package audit

import (
	"cmp"
	"mime"
	"net/http"
	"regexp"
	"strings"
)

func surfaceErrors() []Probe {
	return []Probe{{
		ID: "SH9", Title: "every refusal has the form that errors are promised to have", Guide: "–", Class: Safe, run: errorForm,
		Why: "A client that reads errors by one form shows its user nothing, or a stack of HTML, where a router or a proxy answers by another.",
		Fix: "Answer 404, 405 and malformed bodies by the same function as all other errors.",
	}}
}

// errorForm looks at refusals of every kind that anybody can earn.
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
	if t.lockable() {
		from, next := t.Address(), t.strangers()
		for range t.Limit("login").Limit + 1 {
			if a := t.Guess(from, next()); a.Status >= http.StatusBadRequest {
				t.errorOf(a, e.Type, e.Fields)
			}
		}
	}
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
