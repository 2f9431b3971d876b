package load

import (
	"bytes"
	"net/http"
	"slices"

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
}

type field struct {
	name string
	want []byte // nil = present
}

type member struct {
	path path
	want []byte // nil = present
}

func compileExpect(e scenarios.Expect) expectation {
	x := expectation{status: e.Status, body: []byte(e.Body)}
	for _, name := range sorted(e.Header) {
		x.header = append(x.header, field{name, orNil(e.Header[name])})
	}
	for _, p := range sorted(e.JSON) {
		x.json = append(x.json, member{parsePath(p), orNil(e.JSON[p])})
	}
	return x
}

// reads reports whether the check looks into the body.
func (x *expectation) reads() bool { return len(x.json) > 0 || len(x.body) > 0 }

// check says what is not as expected; None when all is. scratch is kept for the
// next check.
func (x *expectation) check(c *wire.Call, scratch *[]byte) measure.Class {
	if len(x.status) == 0 && (c.Code < 200 || c.Code > 299) || len(x.status) > 0 && !slices.Contains(x.status, c.Code) {
		return measure.BadStatus
	}
	for i := range x.header {
		got, ok := c.Header(x.header[i].name)
		if !ok || x.header[i].want != nil && !bytes.Equal(got, x.header[i].want) {
			return measure.BadCheck
		}
	}
	for i := range x.json {
		raw, ok := x.json[i].path.find(c.Answer)
		if !ok {
			return measure.BadCheck
		}
		*scratch = text((*scratch)[:0], raw)
		if x.json[i].want != nil && !bytes.Equal(*scratch, x.json[i].want) {
			return measure.BadCheck
		}
	}
	if len(x.body) > 0 && !bytes.Contains(c.Answer, x.body) {
		return measure.BadCheck
	}
	return measure.None
}

// outcome says which histogram the answer belongs to: 429, or 503 with a time to
// come back, is a refusal whether the step expects it or not.
func outcome(c *wire.Call, class measure.Class) measure.Outcome {
	if c.Class == measure.None {
		if c.Code == http.StatusTooManyRequests {
			return measure.Refused
		}
		if _, later := c.Header("Retry-After"); later && c.Code == http.StatusServiceUnavailable {
			return measure.Refused
		}
	}
	if class == measure.None {
		return measure.Served
	}
	return measure.Failed
}

func orNil(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}
