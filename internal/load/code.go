package load

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// Func is a step written in Go, in place of a scenario's step of that name. The
// whole of it is one sample: from the call to the return. The status it returns
// is held against the step's expectation, as are header, JSON and body of the last
// answer it got, if it sent anything. An error fails the step (class of the last
// exchange, else bad check).
type Func func(ctx context.Context, v *Visit) (status int, err error)

// Visit is what a step in code may use.
type Visit struct{ v *visitor }

// Number is the arrival's, or counts a user's turns without repeating another's.
func (v *Visit) Number() uint64 { return v.v.gen.n }

// Uint64 draws from the seed and the number.
func (v *Visit) Uint64() uint64 { return v.v.gen.rng.Uint64() }

// Get is a variable's value: an account field, a fed column, a saved value.
func (v *Visit) Get(name string) (value string, known bool) {
	for slot, n := range v.v.r.plan.names {
		if n == name {
			return string(v.v.vars[slot].value), v.v.vars[slot].known
		}
	}
	return "", false
}

// Set saves a value for the steps that follow. Names that no step of the scenario
// uses are not kept.
func (v *Visit) Set(name, value string) { v.v.learn(name, value) }

// Send sends one request over the run's client, from the visitor's address, signed
// in like the step itself; q.From is not used. The answer's slices are valid until
// the next Send.
func (v *Visit) Send(ctx context.Context, q Request) *wire.Call {
	c := &v.v.call
	c.Method, c.Path, c.Body = cmp.Or(q.Method, http.MethodGet), append(v.v.path[:0], q.Path...), q.Body
	c.Lines = headerLines(v.v.lines, q.Header)
	v.v.send(ctx, c)
	route, _, _ := strings.Cut(q.Path, "?")
	v.v.tell(v.v.step, c.Method, route, q.Policy, q.User)
	return c
}

// runCode carries the step out and makes its call look like one exchange.
func (v *visitor) runCode(ctx context.Context, s *step) {
	c := &v.call
	*c = wire.Call{Host: c.Host, From: c.From, Timeout: c.Timeout, Keep: c.Keep, Head: c.Head[:0], Answer: c.Answer[:0]}
	v.step = s
	began := time.Since(v.r.began)
	code, err := s.code(ctx, &Visit{v})
	c.Began, c.Done, c.Code = began, time.Since(v.r.began), code
	if err == nil {
		c.Class, c.Err = measure.None, nil
		return
	}
	if c.Err = err; c.Class == measure.None {
		c.Class = measure.BadCheck
	}
}
