package targetfile

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"vitals/internal/strict"
)

// writer makes the text of a scenario, and remembers which line is whose.
type writer struct {
	file   string
	base   *url.URL
	steps  []*step
	lines  []string       // of the file
	starts []int          // the lines at which its targets begin
	seen   map[string]int // requests by all that is sent → their place in steps
	errs   strict.Errors
}

func (w *writer) fail(at place, hint, format string, args ...any) {
	w.errs = append(w.errs, &strict.Error{File: w.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// methods are those that a step of a scenario may have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// single are headers of a request that are no lists: of two, servers take either or none.
var single = []string{
	"host", "authorization", "proxy-authorization", "content-type", "content-length", "user-agent", "referer", "from", "origin", "date", "range",
	"if-range", "if-modified-since", "if-unmodified-since", "max-forwards", "traceparent", "x-request-id", "idempotency-key",
}

// standIn takes the place of a URL that cannot be read, so that what else is wrong with
// its target is told as well.
const standIn = "http://stand-in.invalid/"

// add takes a target as a step. One with a mistake is a step too, for the sake of its
// further ones.
func (w *writer) add(line int, t vegeta.Target) {
	where := w.text(line, t.URL)
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		w.url(where, t.URL, err)
		u, _ = url.Parse(standIn)
	}
	if !slices.Contains(methods, t.Method) {
		w.fail(w.text(line, t.Method), "", "found the method %s, expected %s%s", t.Method, strings.Join(methods, ", "), strict.Meant(t.Method, methods))
		t.Method = http.MethodPost // which may have all that another has
	}
	at := &url.URL{Scheme: u.Scheme, Host: u.Host}
	told := u.String() == standIn // that its URL is wrong
	if w.base == nil && !told {
		w.base = at
	}
	if !told && *at != *w.base {
		w.fail(where, "one run is of one system: split the file", "found the host %s, the first target has %s", at, w.base)
	}
	if u.User != nil {
		w.fail(where, "", "no user or password in a URL: put them into a header of the target")
	}
	s := &step{Weight: 1, Header: w.headers(line, t.Header), Body: string(t.Body), method: t.Method, path: u.RequestURI(), url: t.URL, line: line}
	if !utf8.Valid(t.Body) {
		s.binary = t.Body // which the text says in base64
		s.Body = "base64:" + base64.StdEncoding.EncodeToString(t.Body)
	}
	w.placeholders(s)
	key := fmt.Sprint(s.method, s.path, s.Header, s.Body, s.binary != nil) // fmt sorts maps
	if at, twice := w.seen[key]; twice {
		w.steps[at].Weight++
		return
	}
	w.seen[key] = len(w.steps)
	w.steps = append(w.steps, s)
}

// headers are a target's, each as one line.
func (w *writer) headers(line int, of http.Header) map[string]string {
	header := map[string]string{}
	for name, vs := range of {
		sep := ", " // what a header is that stands in two lines (RFC 9110, 5.3)
		if strings.EqualFold(name, "Cookie") {
			sep = "; "
		}
		if len(vs) > 1 && slices.Contains(single, strings.ToLower(name)) {
			w.fail(w.header(line, name), "keep one of them", "the header %s stands %d times, expected it once: it is no list", name, len(vs))
		}
		header[name] = strings.Join(vs, sep)
	}
	return header
}

// placeholders refuses what the scenario would take for placeholders, and leaves it out
// of the step: nothing else is said of it.
func (w *writer) placeholders(s *step) {
	all := append(slices.Collect(maps.Values(s.Header)), s.path, s.Body)
	if !slices.ContainsFunc(all, func(text string) bool { return strings.Contains(text, "{{") }) {
		return
	}
	w.fail(w.text(s.line, "{{", "@"), "write a scenario instead", "found {{, which a scenario takes for the beginning of a placeholder")
	without := strings.NewReplacer("{{", "", "}}", "").Replace
	s.path, s.Body = without(s.path), without(s.Body)
	for name, value := range s.Header {
		s.Header[name] = without(value)
	}
}
