package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// expectation is a scenarios.Expect, compiled.
type expectation struct {
	status []int
	header []field
	json   []member
	body   *wanted       // nil = any
	most   time.Duration // response time; 0 = any
}

type field struct {
	name string
	want *wanted // nil = present
}

type member struct {
	name string
	path path
	want *wanted // nil = present
}

// wanted is what a part of an answer must be. What the visit saved is filled in; it has
// lost its type, so that of the answer is not asked.
type wanted struct {
	text   template
	json   []byte // of a member without placeholders
	filled bool
}

// of is the text with what the visit knows.
func (w *wanted) of(dst []byte, vars []variable) []byte { return w.text.fill(dst, vars, nil, inText) }

// compileExpect makes the checks; parse reads texts that may have placeholders.
func compileExpect(e scenarios.Expect, parse func(string) (template, error)) (x expectation, err error) {
	x = expectation{status: e.Status, most: e.Max}
	made := func(s *string) *wanted {
		if s == nil {
			return nil
		}
		text, wrong := parse(*s)
		err = errors.Join(err, wrong)
		if slices.ContainsFunc(text, func(p piece) bool { return p.make != nil }) {
			err = errors.Join(err, fmt.Errorf("expect: %q makes another value each time", *s))
		}
		_, constant := text.constant()
		return &wanted{text: text, filled: !constant}
	}
	for _, name := range sorted(e.Header) {
		x.header = append(x.header, field{name, made(e.Header[name])})
	}
	for _, p := range sorted(e.JSON) {
		m := member{p, parsePath(p), made(e.JSON[p])}
		if m.want != nil && !m.want.filled {
			if m.want.json = []byte(*e.JSON[p]); !json.Valid(m.want.json) { // a plain text
				m.want.json = append(inJSON([]byte{'"'}, m.want.json), '"')
			}
		}
		x.json = append(x.json, m)
	}
	if e.Body != "" {
		x.body = made(&e.Body)
	}
	return x, err
}

// slots are the variables that the checks need.
func (x *expectation) slots() (s []int) {
	add := func(w *wanted) {
		if w != nil {
			s = append(s, w.text.slots()...)
		}
	}
	for i := range x.header {
		add(x.header[i].want)
	}
	for i := range x.json {
		add(x.json[i].want)
	}
	add(x.body)
	return s
}

// reads reports whether the check looks into the body.
func (x *expectation) reads() bool { return len(x.json) > 0 || x.body != nil }

// good reports whether the status is as expected.
func (x *expectation) good(code int) bool {
	if len(x.status) == 0 {
		return code >= 200 && code <= 299
	}
	return slices.Contains(x.status, code)
}

// checked is the first thing about an answer that is not as expected.
type checked struct {
	header *field
	json   *member
	body   []byte
	want   []byte // of the header or the member
}

// check finds what is not as expected of header and body, and false when all is.
// scratch is kept for the next check.
func (x *expectation) check(c *wire.Call, vars []variable, scratch *[]byte) (checked, bool) {
	for i := range x.header {
		h := &x.header[i]
		got, ok := c.Header(h.name)
		if h.want != nil {
			*scratch = h.want.of((*scratch)[:0], vars)
		}
		if !ok || h.want != nil && !bytes.Equal(got, *scratch) {
			return checked{header: h, want: *scratch}, true
		}
	}
	for i := range x.json {
		m := &x.json[i]
		raw, ok := m.path.find(c.Answer, first)
		if m.want == nil {
			if !ok {
				return checked{json: m}, true
			}
			continue
		}
		if !m.want.filled {
			if !ok || !sameJSON(m.want.json, raw) {
				return checked{json: m, want: m.want.json}, true
			}
			continue
		}
		*scratch = text((*scratch)[:0], raw)
		n := len(*scratch)
		*scratch = m.want.of(*scratch, vars)
		if got, want := (*scratch)[:n], (*scratch)[n:]; !ok || !bytes.Equal(got, want) {
			return checked{json: m, want: want}, true
		}
	}
	if x.body != nil {
		*scratch = x.body.of((*scratch)[:0], vars)
		if !bytes.Contains(c.Answer, *scratch) {
			return checked{body: *scratch}, true
		}
	}
	return checked{}, false
}

// outcome says which histogram the answer belongs to: what a limit turned away, or a
// 503 with a time to come back, is a refusal whether the step expects it or not.
func (r *run) outcome(c *wire.Call, class measure.Class) measure.Outcome {
	if c.Class == measure.None {
		_, later := c.Header("Retry-After")
		if later && c.Code == http.StatusServiceUnavailable || r.opt.Refused(c.Code, later) {
			return measure.Refused
		}
	}
	if class == measure.None {
		return measure.Served
	}
	return measure.Failed
}
