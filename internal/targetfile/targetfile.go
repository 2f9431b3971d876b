// Package targetfile reads the files that vegeta attacks by, in its HTTP and in its JSON
// format, as a scenario: an open load at one rate, whose requests are the file's in the
// proportion in which they stand there.
package targetfile

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"vitals/internal/strict"
	"vitals/scenarios"
)

// most is how many different requests a file may have: each is a line of the report.
const most = 1000

// comment is what both a target file and a scenario may begin with.
var comment = regexp.MustCompile(`(?m)^\s*(#.*)?$`)

// begins is the first line of a target in vegeta's HTTP format.
var begins = regexp.MustCompile(`^[A-Z]+\s+\S*/`)

// Is tells whether a file holds vegeta's targets. A file that is not there, or that is
// named as YAML, does not.
func Is(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		return false
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	first := bytes.TrimSpace(comment.ReplaceAll(text, nil))
	empty := len(first) == 0 && bytes.Contains(text, []byte("#")) // of comments alone
	return empty || begins.Match(first) || jsonLines(first)
}

// jsonLines tells JSON targets by their first line, which must have a method or a URL.
func jsonLines(text []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	var t struct{ Method, URL string }
	return json.Unmarshal(line, &t) == nil && t.Method+t.URL != ""
}

// Read reads a file of targets as a scenario of so many requests a second ("50/s") for
// so long ("10s"). base is scheme and host that all targets name. Every mistake is told
// at once, by the line at which its target begins.
func Read(file, rate, length string) (sc *scenarios.Scenario, base *url.URL, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read targets: %w", err)
	}
	asJSON := jsonLines(text)
	lines := starts(string(text), asJSON)
	next := vegeta.NewHTTPTargeter(bytes.NewReader(text), nil, nil)
	if asJSON {
		next = vegeta.NewJSONTargeter(bytes.NewReader(text), nil, nil)
	}
	w := writer{file: file, lines: strings.Split(string(text), "\n"), seen: map[string]int{}}
	for n := 0; ; n++ {
		var t vegeta.Target
		line := 0
		if n < len(lines) {
			line = lines[n]
		}
		if err := next(&t); errors.Is(err, vegeta.ErrNoTargets) {
			break
		} else if err != nil {
			w.unread(line, asJSON, err)
			break // the reader does not say where the next one begins
		}
		w.add(line, t)
	}
	if len(w.steps) == 0 && len(w.errs) == 0 {
		w.fail(0, "as in GET http://127.0.0.1:8000/goods", "no target")
	}
	if len(w.steps) > most {
		w.fail(0, "write a scenario with a feed", "%d different requests, at most %d are read", len(w.steps), most)
	}
	if err := w.errs.Err(); err != nil {
		return nil, nil, err
	}
	sc, err = w.scenario(rate, length)
	return sc, w.base, err
}

// starts are the lines at which targets begin, from 1, as vegeta's readers cut them.
func starts(text string, asJSON bool) (lines []int) {
	within := false
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case asJSON && line != "":
			lines = append(lines, i+1)
		case asJSON:
		case line == "":
			within = false
		case strings.HasPrefix(line, "#"):
		case within && !begins.MatchString(line):
			within = !strings.HasPrefix(line, "@") // a body ends its target
		default:
			lines, within = append(lines, i+1), true
		}
	}
	return lines
}

// step is one request as the scenario's file has it.
type step struct {
	Name   string            `json:"name"`
	Weight int               `json:"weight"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	method string
	path   string
	binary []byte // the body, where it is no text
	line   int
}

// writer makes the text of a scenario, and remembers which line is whose.
type writer struct {
	file  string
	base  *url.URL
	steps []*step
	lines []string       // of the file
	seen  map[string]int // requests by all that is sent → their place in steps
	errs  strict.Errors
}

func (w *writer) fail(line int, hint, format string, args ...any) {
	e := &strict.Error{File: w.file, Line: line, Msg: fmt.Sprintf(format, args...), Hint: hint}
	if line > 0 {
		e.Col = 1
	}
	w.errs = append(w.errs, e)
}

// methods are those that a step of a scenario may have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// single are headers of a request that are no lists: of two, servers take either or none.
var single = []string{
	"host", "authorization", "proxy-authorization", "content-type", "content-length", "user-agent", "referer", "from", "origin", "date", "range",
	"if-range", "if-modified-since", "if-unmodified-since", "max-forwards", "traceparent", "x-request-id", "idempotency-key",
}

func (w *writer) add(line int, t vegeta.Target) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		w.fail(line, "as in http://127.0.0.1:8000/goods", "found the URL %q, expected one with scheme and host", t.URL)
		return
	}
	if !slices.Contains(methods, t.Method) {
		w.fail(line, strict.Hint(t.Method, methods), "found the method %s, expected %s", t.Method, strings.Join(methods, ", "))
		return
	}
	at := &url.URL{Scheme: u.Scheme, Host: u.Host}
	if w.base == nil {
		w.base = at
	}
	if *at != *w.base {
		w.fail(line, "one run is of one system: split the file", "found the host %s, the first target has %s", at, w.base)
	}
	s := &step{Weight: 1, Header: map[string]string{}, Body: string(t.Body), method: t.Method, path: u.RequestURI(), line: line}
	for name, vs := range t.Header {
		sep := ", " // what a header is that stands in two lines (RFC 9110, 5.3)
		if strings.EqualFold(name, "Cookie") {
			sep = "; "
		}
		if len(vs) > 1 && slices.Contains(single, strings.ToLower(name)) {
			w.fail(w.within(line, name+":"), "keep one of them", "the header %s stands %d times, expected it once: it is no list", name, len(vs))
		}
		s.Header[name] = strings.Join(vs, sep)
	}
	if u.User != nil {
		w.fail(line, "", "no user or password in a URL: put them into a header of the target")
	}
	for _, part := range append(slices.Collect(maps.Values(s.Header)), s.path, s.Body) {
		if part == s.Body && !utf8.Valid(t.Body) {
			continue // bytes, and no text that is read
		}
		if strings.Contains(part, "{{") {
			w.fail(line, "write a scenario instead", "found {{, which a scenario takes for the beginning of a placeholder")
			break
		}
	}
	if !utf8.Valid(t.Body) {
		s.binary = t.Body // which the text says in base64
		s.Body = "base64:" + base64.StdEncoding.EncodeToString(t.Body)
	}
	key := fmt.Sprint(s.method, s.path, s.Header, s.Body, s.binary != nil) // fmt sorts maps
	if at, twice := w.seen[key]; twice {
		w.steps[at].Weight++
		return
	}
	w.seen[key] = len(w.steps)
	w.steps = append(w.steps, s)
}

// scenario reads what was collected as the scenario's own reader does. Its text has one
// line for each request, so that what it complains of can be told by the target's line.
func (w *writer) scenario(rate, length string) (*scenarios.Scenario, error) {
	name := strings.TrimSuffix(filepath.Base(w.file), filepath.Ext(w.file))
	var b bytes.Buffer
	fmt.Fprintf(&b, "name: %s\nabout: %s\narrivals: {rate: %s, run_for: %s}\njourneys:\n- name: targets\n  tasks:\n", quote(name), quote("targets of "+filepath.Base(w.file)), quote(rate), quote(length))
	const before = 6 // lines
	names := map[string]int{}
	for _, s := range w.steps {
		path, _, _ := strings.Cut(s.path, "?")
		s.Name = s.method + " " + nameable.Replace(path)
		if names[s.Name]++; names[s.Name] > 1 {
			s.Name = fmt.Sprintf("%s no. %d", s.Name, names[s.Name])
		}
		text := quote(s)
		fmt.Fprintf(&b, "  - {%s: %s, %s\n", quote(strings.ToLower(s.method)), quote(s.path), text[1:])
	}
	sc, err := scenarios.Read(&b, w.file)
	if err == nil {
		for i, s := range w.steps {
			sc.Journeys[0].Tasks[i].Steps[0].Binary = s.binary
		}
		return sc, nil
	}
	for _, e := range unwrap(err) {
		switch at := e.Line - before - 1; {
		case at >= 0 && at < len(w.steps):
			w.fail(w.steps[at].line, e.Hint, "%s", e.Msg)
		case e.Line == 3:
			w.errs = append(w.errs, &strict.Error{Msg: "--rate " + rate + " --for " + length + ": " + e.Msg, Hint: e.Hint})
		default:
			w.fail(0, e.Hint, "%s", e.Msg)
		}
	}
	return nil, w.errs.Err()
}

// nameable replaces what the name of a step cannot have: targets name it in parentheses.
var nameable = strings.NewReplacer("(", "%28", ")", "%29")

// unwrap are the mistakes of a reader's error.
func unwrap(err error) strict.Errors {
	if many, ok := errors.AsType[strict.Errors](err); ok {
		return many
	}
	if one, ok := errors.AsType[*strict.Error](err); ok {
		return strict.Errors{one}
	}
	return strict.Errors{{Msg: err.Error()}}
}

// quote is a value as JSON, which is YAML too.
func quote(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return `""` // texts and numbers can be encoded
	}
	return strings.TrimSpace(b.String())
}
