package wire

import (
	"bytes"
	"net/netip"
	"strings"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/measure"
)

// Seen is one request and what came of it, as whoever watches every answer needs
// it: the checker of limits, the counts that are held against the server's own. It is
// valid during the call only.
type Seen struct {
	Step   string     // name for people
	Method string     // "GET"
	Route  string     // path as the scenario writes it, with {{placeholders}}, without its query
	From   netip.Addr // client address; zero = the system's choice
	User   string     // whose password or token it carried; "" = nobody's, or unknown
	Signed bool       // it carried a token
	Unsure bool       // the token may have ended, or nobody knows whether it reaches what counts it
	Policy string     // limit policy it counts under, where its sender says so; "" = untold

	Status                               int           // 0 without a status line
	Limit, Remaining, Window, RetryAfter int           // of the headers of that name; -1 = not sent
	Unread                               []byte        // the Retry-After that was sent and cannot be read, RetryAfter being -1
	Counted                              []byte        // X-RateLimit-Policy: what the server says it counted under
	ID                                   []byte        // X-Request-ID
	Class                                measure.Class // None, or why there is no complete answer
	Sent, Done                           time.Time
}

// Event is the request as the checker of limits takes it.
func (x *Seen) Event() limitcheck.Event {
	return limitcheck.Event{
		Sent: x.Sent, Done: x.Done, From: x.From, User: x.User, Policy: x.Policy, Status: x.Status,
		Limit: x.Limit, Remaining: x.Remaining, RetryAfter: x.RetryAfter, Unread: string(x.Unread), ID: string(x.ID), Step: x.Step, Unsure: x.Unsure,
	}
}

// The headers that are read, by the length of their names.
var (
	headerRetry     = []byte("Retry-After")
	headerID        = []byte("X-Request-ID")
	headerLimit     = []byte("X-RateLimit-Limit")
	headerWindow    = []byte("X-RateLimit-Window")
	headerPolicy    = []byte("X-RateLimit-Policy")
	headerRemaining = []byte("X-RateLimit-Remaining")
)

// Read takes what is wanted from an answer's header lines in one pass. The fields
// that are bytes share the lines' memory. A Retry-After that is a date counts from Done.
func (x *Seen) Read(head []byte) {
	x.Limit, x.Remaining, x.Window, x.RetryAfter, x.ID, x.Counted, x.Unread = -1, -1, -1, -1, nil, nil, nil
	for len(head) > 0 {
		end := bytes.IndexByte(head, '\n')
		if end < 1 {
			return
		}
		line := head[:end-1]
		head = head[end+1:]
		if len(line) == 0 || line[0]|' ' != 'x' && line[0]|' ' != 'r' {
			continue // none of ours: most lines end here
		}
		colon := bytes.IndexByte(line, ':')
		if colon < len(headerRetry) || len(line) < colon+2 {
			continue
		}
		name, value := line[:colon], line[colon+2:]
		switch colon {
		case len(headerRetry):
			x.wait(name, value)
		case len(headerLimit):
			whole(&x.Limit, name, headerLimit, value)
		case len(headerWindow): // and headerPolicy
			whole(&x.Window, name, headerWindow, value)
			bytesOf(&x.Counted, name, headerPolicy, value)
		case len(headerRemaining):
			whole(&x.Remaining, name, headerRemaining, value)
		case len(headerID):
			bytesOf(&x.ID, name, headerID, value)
		}
	}
}

// bytesOf sets into to the header's value, if the name is the wanted one.
func bytesOf(into *[]byte, name, want, value []byte) {
	if *into == nil && bytes.EqualFold(name, want) {
		*into = value
	}
}

// wait takes the Retry-After, if the name is its; the first of several counts.
func (x *Seen) wait(name, value []byte) {
	if x.RetryAfter >= 0 || x.Unread != nil || !bytes.EqualFold(name, headerRetry) {
		return
	}
	whole(&x.RetryAfter, name, headerRetry, value)
	if x.RetryAfter >= 0 {
		return
	}
	var ok bool
	if x.RetryAfter, ok = limitcheck.Wait(string(value), x.Done); !ok {
		x.Unread = value
	}
}

// whole sets into to the header's number, if the name is the wanted one and the
// value is one; the first of several counts.
func whole(into *int, name, want, value []byte) {
	if *into >= 0 || !bytes.EqualFold(name, want) || len(value) == 0 || len(value) > 9 {
		return
	}
	n := 0
	for _, d := range value {
		if d < '0' || d > '9' {
			return
		}
		n = n*10 + int(d-'0')
	}
	*into = n
}

// Watch has every request of the client told to seen, also those of bursts and
// those without an answer. Call it before the first of them.
func (c *Client) Watch(seen func(*Seen)) { c.seen = seen }

// tell hands an exchange of the client over to who watches. early is the moment
// from which the server may have begun on it; zero = when it was sent.
func (c *Client) tell(q *Request, call *Call, early time.Time) {
	if c.seen == nil {
		return
	}
	path, _, _ := strings.Cut(q.Path, "?")
	x := Seen{
		Step: q.name(), Method: call.Method, Route: path, From: q.From, User: q.User, Policy: q.Policy, Unsure: q.Unsure,
		Status: call.Code, Class: call.Class,
		Sent: c.began.Add(call.Began), Done: c.began.Add(call.Done),
	}
	for name := range q.Header {
		x.Signed = x.Signed || strings.EqualFold(name, "Authorization")
	}
	if !early.IsZero() {
		x.Sent = early
	}
	x.Read(call.Head)
	c.seen(&x)
}
