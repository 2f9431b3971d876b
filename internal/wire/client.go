package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"vitals/internal/measure"
)

// Request is one request of an intruder or a probe.
type Request struct {
	Method string      // "" = GET
	Path   string      // from the server's root, escaped, with its query
	Header http.Header // sent as written; Host names the virtual host
	Body   []byte
	From   netip.Addr // source address; zero = the system's choice
	Base   *url.URL   // another replica; nil = the client's
	Policy string     // limit policy it counts under, for whoever watches every answer; "" = none
	User   string     // whose credential it carries, for the same
	Unsure bool       // nobody knows whether it reaches what counts it, for the same
	Label  string     // its name for people; "" = method and path
}

// name is how people are told of the request.
func (q *Request) name() string {
	path, _, _ := strings.Cut(q.Path, "?")
	return cmp.Or(q.Label, cmp.Or(q.Method, http.MethodGet)+" "+path)
}

// Answer is what came back. Its slices belong to the caller.
type Answer struct {
	Status int // 0 = none
	Header http.Header
	Body   []byte // up to 1 MiB, without its Content-Encoding
	Bytes  int64
	Sent   time.Time // taken in hand; in a burst, released
	Done   time.Time
	Class  measure.Class // None, or why there is no complete answer
	Err    error
}

// maxAnswer is how much of a body is kept.
const maxAnswer = 1 << 20

// Client sends single requests and bursts for those who look at every answer
// themselves. It sends each exactly once, and is safe for concurrent use.
type Client struct {
	base    *url.URL
	began   time.Time
	forward bool
	timeout time.Duration
	seen    func(*Seen) // nil = nobody watches
	as      *tls.Config // what Secure takes

	mu    sync.Mutex
	paths map[string]*path // by scheme and host
}

// path is how one server is reached.
type path struct {
	doer Doer
	raw  *Raw // the lean client even over TLS: only a connection of our own can hold the last byte of a request back
}

// NewClient makes a client for the server at base. With forward, a request's
// From goes into X-Forwarded-For instead of the socket's source address. Timeout
// is per request, 0 = 10s.
func NewClient(base *url.URL, forward bool, timeout time.Duration) *Client {
	return &Client{base: base, began: time.Now(), forward: forward, timeout: cmp.Or(timeout, 10*time.Second), paths: map[string]*path{}}
}

// Secure sets what the package's Secure takes: authorities to trust and a
// certificate to show. Call it before the first request.
func (c *Client) Secure(as *tls.Config) { c.as = as }

// rest is shorter than any server's own bound on idle connections: after a wait a
// Client dials anew, rather than write into a connection that is being closed.
const rest = 500 * time.Millisecond

// to is how the server at base is reached.
func (c *Client) to(base *url.URL) *path {
	key := base.Scheme + "://" + base.Host
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.paths[key]
	if p == nil {
		p = &path{raw: NewRaw(HostPort(base), Secure(base, c.as))}
		p.doer, _ = Choose(base, false, c.as)
		switch d := p.doer.(type) {
		case *Raw:
			d.rest = rest
		case *Std:
			d.rest = rest
		}
		p.doer.Start(c.began)
		p.raw.Start(c.began)
		c.paths[key] = p
	}
	return p
}

// Close ends the client and everything it still has under way.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.paths {
		p.doer.Close()
		p.raw.Close()
	}
}

// Send sends one request and waits for its answer. Trouble on the wire is in the
// answer, and returned as the error as well.
func (c *Client) Send(ctx context.Context, q Request) (Answer, error) {
	call, err := c.call(&q)
	if err != nil {
		now := time.Now()
		return Answer{Header: http.Header{}, Sent: now, Done: now, Class: measure.Cancelled, Err: err}, err
	}
	c.to(cmp.Or(q.Base, c.base)).doer.Do(ctx, call)
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

// Burst releases all requests at one barrier, to several replicas as well, each on
// an open connection of its own, and returns their answers in order and the time
// from the first release to the last. Past 2 ms, or 40 µs for each request when
// that is more, it returns ErrSpread beside the answers. Whoever watches is told of
// them in the order in which they ended.
func (c *Client) Burst(ctx context.Context, requests []Request) ([]Answer, time.Duration, error) {
	calls, raws := make([]*Call, len(requests)), make([]*Raw, len(requests))
	for i := range requests {
		call, err := c.call(&requests[i])
		if err != nil {
			return nil, 0, err
		}
		calls[i], raws[i] = call, c.to(cmp.Or(requests[i].Base, c.base)).raw
	}
	prepared := time.Now()
	spread, err := burst(ctx, raws, calls)
	if err != nil {
		for i, call := range calls { // part of some was sent: the server may have counted those
			call.Class, call.Began, call.Done = measure.Cancelled, prepared.Sub(c.began), time.Since(c.began)
			c.tell(&requests[i], call, prepared)
		}
		return nil, 0, err
	}
	answers, ended := make([]Answer, len(calls)), make([]int, len(calls))
	for i, call := range calls {
		answers[i], ended[i] = c.answer(call), i
	}
	slices.SortStableFunc(ended, func(i, j int) int { return cmp.Compare(calls[i].Done, calls[j].Done) })
	for _, i := range ended {
		early := time.Time{}
		if len(calls[i].Body) > 0 { // the head was there long before the last byte of the body
			early = prepared
		}
		c.tell(&requests[i], calls[i], early)
	}
	if limit := max(2*time.Millisecond, time.Duration(len(calls))*40*time.Microsecond); spread > limit {
		err = fmt.Errorf("%w: %d requests in %s, at most %s allowed", ErrSpread, len(calls), spread, limit)
	}
	return answers, spread, err
}

// Open opens a bare connection from an address, and gives the header lines that a
// request on it needs, each ended by CRLF: the host's and, where this client is a
// trusted proxy, the address's.
func (c *Client) Open(ctx context.Context, from netip.Addr) (conn net.Conn, lines string, err error) {
	lines = "Host: " + c.base.Host + "\r\n"
	if c.forward && from.IsValid() {
		lines += "X-Forwarded-For: " + from.String() + "\r\n"
		from = netip.Addr{}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err = c.to(c.base).raw.dial.connect(ctx, from)
	return conn, lines, err
}

// call is a request as a Doer takes it. What frames a request is the Doer's own.
func (c *Client) call(q *Request) (*Call, error) {
	call := &Call{
		Method: cmp.Or(q.Method, http.MethodGet), Path: []byte(cmp.Or(Prefix(cmp.Or(q.Base, c.base))+q.Path, "/")),
		Body: q.Body, Timeout: c.timeout, Keep: maxAnswer,
	}
	for _, name := range slices.Sorted(maps.Keys(q.Header)) {
		switch http.CanonicalHeaderKey(name) {
		case "Host":
			call.Host = q.Header[name][0]
			continue
		case "Content-Length", "Transfer-Encoding":
			return nil, fmt.Errorf("%s: the header %s is not a request's to set: it follows from the body", q.name(), name)
		}
		for _, value := range q.Header[name] {
			call.Lines = append(append(call.Lines, name...), ": "...)
			call.Lines = append(InHeader(call.Lines, []byte(value)), '\r', '\n')
		}
	}
	switch {
	case !q.From.IsValid():
	case c.forward:
		call.Lines = append(q.From.AppendTo(append(call.Lines, "X-Forwarded-For: "...)), '\r', '\n')
	default:
		call.From = q.From
	}
	return call, nil
}

// answer is what came, its body as the server meant it; one that cannot be unpacked is as
// it came.
func (c *Client) answer(call *Call) Answer {
	body := call.Answer
	if plain, _, err := Unpack(call, nil); err == nil {
		body = plain
	}
	a := Answer{
		Status: call.Code, Body: body, Bytes: call.Bytes, Header: http.Header{}, Class: call.Class, Err: call.Err,
		Sent: c.began.Add(call.Began), Done: c.began.Add(call.Done),
	}
	for line := range strings.SplitSeq(string(call.Head), "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			a.Header.Add(name, value)
		}
	}
	return a
}

// InHeader appends what a header's value may hold, tabs among it: what would end the line
// is a space, and other control characters are left out (RFC 9110, 5.5).
func InHeader(dst, value []byte) []byte {
	for i, c := range value {
		switch {
		case c == '\r' && i+1 < len(value) && value[i+1] == '\n': // one end of a line
		case c == '\r' || c == '\n':
			dst = append(dst, ' ')
		case c >= ' ' && c != 0x7f || c == '\t':
			dst = append(dst, c)
		}
	}
	return dst
}
