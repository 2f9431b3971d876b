package load

import (
	"bytes"
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
	body   []byte
	most   time.Duration // response time; 0 = any
}

type field struct {
	name string
	want []byte // nil = present
}

type member struct {
	name string
	path path
	want []byte // nil = present
}

func compileExpect(e scenarios.Expect) expectation {
	x := expectation{status: e.Status, body: []byte(e.Body), most: e.Max}
	for _, name := range sorted(e.Header) {
		x.header = append(x.header, field{name, wanted(e.Header[name])})
	}
	for _, p := range sorted(e.JSON) {
		x.json = append(x.json, member{p, parsePath(p), wanted(e.JSON[p])})
	}
	return x
}

// wanted is the exact value, which may be empty, or nil for any.
func wanted(s *string) []byte {
	if s == nil {
		return nil
	}
	return append([]byte{}, *s...)
}

// reads reports whether the check looks into the body.
func (x *expectation) reads() bool { return len(x.json) > 0 || len(x.body) > 0 }

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
}

// check finds what is not as expected of header and body, and false when all is.
// scratch is kept for the next check.
func (x *expectation) check(c *wire.Call, scratch *[]byte) (checked, bool) {
	for i := range x.header {
		got, ok := c.Header(x.header[i].name)
		if !ok || x.header[i].want != nil && !bytes.Equal(got, x.header[i].want) {
			return checked{header: &x.header[i]}, true
		}
	}
	for i := range x.json {
		raw, ok := x.json[i].path.find(c.Answer, first)
		if !ok {
			return checked{json: &x.json[i]}, true
		}
		*scratch = text((*scratch)[:0], raw)
		if x.json[i].want != nil && !bytes.Equal(*scratch, x.json[i].want) {
			return checked{json: &x.json[i]}, true
		}
	}
	if len(x.body) > 0 && !bytes.Contains(c.Answer, x.body) {
		return checked{body: x.body}, true
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
