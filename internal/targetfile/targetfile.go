// Package targetfile reads the files that vegeta attacks by, in its HTTP and in its JSON
// format, as a scenario: an open load at one rate, whose requests are the file's in the
// proportion in which they stand there.
package targetfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"vitals/internal/strict"
	"vitals/scenarios"
)

// most is how many different requests a file may have: each is a line of the report.
const most = 1000

// comment is what both a target file and a scenario may begin with.
var comment = regexp.MustCompile(`(?m)^\s*(#.*)?$`)

// begins is the first line of a target in vegeta's HTTP format.
var begins = regexp.MustCompile(`^([A-Z]+\s+\S*/|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+\S)`)

// bodyLine is where a target in that format names the file of its body.
var bodyLine = regexp.MustCompile(`(?m)^[ \t]*@.*$`)

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
	w := writer{file: file, lines: strings.Split(string(text), "\n"), starts: starts(string(text), asJSON), seen: map[string]int{}}
	w.read(string(text)+"\n", asJSON) // vegeta's reader of JSON leaves a last line without an end out
	switch {
	case len(w.steps) == 0 && len(w.errs) == 0:
		w.fail(place{}, "as in GET http://127.0.0.1:8000/goods", "no target")
	case len(w.steps) > most:
		w.fail(place{}, "write a scenario with a feed", "%d different requests, at most %d are read", len(w.steps), most)
	}
	sc, err = w.scenario(rate, length)
	return sc, w.base, err
}

// read takes every target as vegeta's reader does. After one that it cannot read it goes
// on where the next one begins.
func (w *writer) read(text string, asJSON bool) {
	reader := vegeta.NewHTTPTargeter
	if asJSON {
		reader = vegeta.NewJSONTargeter
	}
	next, at := reader(strings.NewReader(text), nil, nil), 1
	for n := 0; ; n++ {
		var t vegeta.Target
		line := 0
		if n < len(w.starts) {
			line = w.starts[n]
		}
		err := next(&t)
		switch {
		case errors.Is(err, vegeta.ErrNoTargets):
			return
		case err == nil:
			w.add(line, t)
			continue
		}
		w.unread(line, asJSON, err)
		var bad *url.Error
		noBody := unreadBody(err) && !asJSON
		again := (errors.As(err, &bad) || noBody) && line > 0
		if again {
			n--
		}
		if n+1 >= len(w.starts) {
			return
		}
		for ; at < w.starts[n+1]; at++ {
			_, text, _ = strings.Cut(text, "\n")
		}
		switch {
		case noBody && again:
			at := bodyLine.FindStringIndex(text)
			text = text[:at[0]] + text[at[1]:]
		case again:
			text = strings.Replace(text, bad.URL, standIn, 1)
		}
		next = reader(strings.NewReader(text), nil, nil)
	}
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
	url    string // as the file has it
	binary []byte // the body, where it is no text
	line   int
}

// scenario reads what was collected as the scenario's own reader does. Its text has one
// line for each request, so that what it complains of can be told by the target's line.
// Where there is a mistake already, it is read for the sake of further ones.
func (w *writer) scenario(rate, length string) (*scenarios.Scenario, error) {
	if len(w.steps) == 0 || len(w.steps) > most {
		return nil, w.errs.Err()
	}
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
	sc, err := scenarios.Read(strings.NewReader(b.String()), w.file)
	if err == nil && len(w.errs) == 0 {
		for i, s := range w.steps {
			sc.Journeys[0].Tasks[i].Steps[0].Binary = s.binary
		}
		return sc, nil
	}
	text := strings.Split(b.String(), "\n")
	for _, e := range unwrap(err) {
		switch at := e.Line - before - 1; {
		case at >= 0 && at < len(w.steps):
			w.fail(w.told(w.steps[at], text[e.Line-1], e.Col), e.Hint, "%s", e.Msg)
		case e.Line == 3:
			w.errs = append(w.errs, &strict.Error{Msg: "--rate " + rate + " --for " + length + ": " + e.Msg, Hint: e.Hint})
		default:
			w.fail(place{}, e.Hint, "%s", e.Msg)
		}
	}
	return nil, w.errs.Err()
}

// nameable replaces what the name of a step cannot have: targets name it in parentheses.
var nameable = strings.NewReplacer("(", "%28", ")", "%29")

// unwrap are the mistakes of a reader's error.
func unwrap(err error) strict.Errors {
	if err == nil {
		return nil
	}
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
