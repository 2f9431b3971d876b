package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// Request is one request of an intruder, a probe, or a step in code.
type Request struct {
	Method string // "" = GET
	Path   string // from the server's root, escaped
	Header map[string]string
	Body   []byte
	From   netip.Addr // source address; zero = the system's choice
	Policy string     // limit policy it counts under, for who watches every answer; "" = none
	User   string     // whose credential it carries, for the same
}

// Answer is what came back. Its slices belong to the caller.
type Answer struct {
	Status int // 0 = none
	Header http.Header
	Body   []byte // up to 1 MiB
	Bytes  int64
	Sent   time.Time // taken in hand; in a burst, released
	Done   time.Time
	Class  measure.Class // None, or why there is no complete answer
	Err    error
}

// Client sends single requests for those who look at every answer themselves.
// It sends each exactly once, and is safe for concurrent use.
type Client struct {
	doer    wire.Doer
	raw     *wire.Raw
	began   time.Time
	base    string // path prefix
	forward bool
	timeout time.Duration
	seen    func(*Seen) // nil = nobody watches
}

// NewClient makes a client for the server at base. With forward, a request's
// From goes into X-Forwarded-For instead of the socket's source address. Timeout
// is per request, 0 = 10s.
func NewClient(base *url.URL, forward bool, timeout time.Duration) *Client {
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	doer, _ := choose(Options{Base: base})
	c := &Client{doer: doer, raw: burster(base), base: strings.TrimRight(base.Path, "/"), forward: forward, timeout: timeout, began: time.Now()}
	c.doer.Start(c.began)
	c.raw.Start(c.began)
	return c
}

// Close ends the client and everything it still has under way.
func (c *Client) Close() {
	c.doer.Close()
	c.raw.Close()
}

// Send sends one request and waits for its answer. Trouble on the wire is in the
// answer, and returned as the error as well.
func (c *Client) Send(ctx context.Context, q Request) (Answer, error) {
	call := c.call(q)
	c.doer.Do(ctx, call)
	c.tell(&q, call, time.Time{})
	a := c.answer(call)
	if a.Err != nil {
		return a, fmt.Errorf("%s %s: %w", call.Method, q.Path, a.Err)
	}
	return a, nil
}

// ErrSpread says that a burst was no burst: its requests were released too far
// apart to be called simultaneous, so that what came of it proves nothing.
var ErrSpread = errors.New("the burst was released too slowly to count as simultaneous")

// Burst releases all requests at one barrier, each on an open connection of its
// own, and returns their answers in order and the time from the first release to
// the last. Past 2 ms, or 40 µs for each request when that is more, it returns
// ErrSpread beside the answers.
func (c *Client) Burst(ctx context.Context, requests []Request) ([]Answer, time.Duration, error) {
	calls := make([]*wire.Call, len(requests))
	for i, q := range requests {
		calls[i] = c.call(q)
	}
	prepared := time.Now()
	spread, err := c.raw.Burst(ctx, calls)
	if err != nil {
		for i, call := range calls { // part of some was sent: the server may have counted those
			call.Class, call.Began, call.Done = measure.Cancelled, prepared.Sub(c.began), time.Since(c.began)
			c.tell(&requests[i], call, prepared)
		}
		return nil, 0, err
	}
	answers := make([]Answer, len(calls))
	for i, call := range calls {
		answers[i] = c.answer(call)
		early := time.Time{}
		if len(call.Body) > 0 { // the head was there long before the last byte of the body
			early = prepared
		}
		c.tell(&requests[i], call, early)
	}
	if limit := max(2*time.Millisecond, time.Duration(len(calls))*40*time.Microsecond); spread > limit {
		err = fmt.Errorf("%w: %d requests in %s, at most %s allowed", ErrSpread, len(calls), spread, limit)
	}
	return answers, spread, err
}

func (c *Client) call(q Request) *wire.Call {
	call := &wire.Call{Method: q.Method, Path: []byte(cmp.Or(c.base+q.Path, "/")), Body: q.Body, Timeout: c.timeout, Keep: maxAnswer}
	if call.Method == "" {
		call.Method = http.MethodGet
	}
	call.Lines = headerLines(nil, q.Header)
	switch {
	case !q.From.IsValid():
	case c.forward:
		call.Lines = append(q.From.AppendTo(append(call.Lines, "X-Forwarded-For: "...)), '\r', '\n')
	default:
		call.From = q.From
	}
	return call
}

func (c *Client) answer(call *wire.Call) Answer {
	a := Answer{
		Status: call.Code, Body: call.Answer, Bytes: call.Bytes, Header: http.Header{}, Class: call.Class, Err: call.Err,
		Sent: c.began.Add(call.Began), Done: c.began.Add(call.Done),
	}
	for line := range strings.SplitSeq(string(call.Head), "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			a.Header.Add(name, value)
		}
	}
	return a
}

// headerLines appends a header's lines in the order of its names.
func headerLines(dst []byte, header map[string]string) []byte {
	for _, name := range sorted(header) {
		dst = append(append(dst, name...), ": "...)
		dst = append(inHeader(dst, []byte(header[name])), '\r', '\n')
	}
	return dst
}
