// Package wire puts one request on the wire and takes one answer off it: a lean
// HTTP/1.1 client (Raw) and one on net/http for everything that is more than
// that (Std). Both send what they are told exactly once, fill the same fields in
// the same way, and name what went wrong from one closed set. What to send and
// what a good answer is, is left to package load.
package wire

import (
	"bytes"
	"context"
	"net/netip"
	"time"

	"vitals/internal/measure"
)

// Call is one exchange. The caller fills the upper half; Do fills the lower,
// whose slices are valid until the next Do. Reuse a Call: its buffers are kept,
// so that a warm one costs no allocation.
type Call struct {
	Method  string        // "GET"
	Path    []byte        // origin form, escaped: "/medications?page=2"
	Host    string        // "" = the client's
	Lines   []byte        // header lines, each ended by CRLF; no Host, no Content-Length
	Body    []byte        // nil = none
	From    netip.Addr    // source address; zero = the system's choice
	Timeout time.Duration // from Began to the last byte; 0 = none
	Keep    int           // bytes of the body to keep in Answer; the rest is counted and thrown away

	Began  time.Duration // taken in hand, before any dialling; offset from the client's origin
	Done   time.Duration // last byte read, or the attempt ended
	Code   int           // 0 without a status line
	Head   []byte        // final header lines as "Name: value\r\n", trailers not included
	Answer []byte        // the first Keep bytes of the body
	Bytes  int64         // body bytes read
	Reused bool          // the connection had carried a request before
	Class  measure.Class // None, or why there is no complete answer
	Err    error         // the cause of Class, for a person
}

// Doer sends calls. Raw and Std are Doers; both are safe for use by many
// goroutines, each with its own Call.
type Doer interface {
	// Do sends c once and waits for the whole answer. It never retries. Trouble
	// is in c.Class and c.Err, because a failed request is data.
	Do(ctx context.Context, c *Call)
	// Start sets the moment that times count from; at first it is when the Doer was
	// made. Call it before the first Do.
	Start(origin time.Time)
	// Close ends every exchange under way (class Cancelled) and every connection.
	Close()
}

// Header finds the first value of the named header in the answer, without regard
// to case. It is valid as long as Head.
func (c *Call) Header(name string) ([]byte, bool) { return field(c.Head, name) }

func field(head []byte, name string) ([]byte, bool) {
	for len(head) > 0 {
		end := bytes.IndexByte(head, '\n')
		if end < 0 {
			return nil, false
		}
		if end > len(name)+1 && head[len(name)] == ':' && equalFold(head[:len(name)], name) {
			return head[len(name)+2 : end-1], true
		}
		head = head[end+1:]
	}
	return nil, false
}

// reset clears what the last exchange left, and keeps the buffers.
func (c *Call) reset() {
	c.Code, c.Bytes, c.Reused, c.Class, c.Err = 0, 0, false, measure.None, nil
	c.Head, c.Answer = c.Head[:0], c.Answer[:0]
}

// equalFold compares ASCII without regard to case; bytes.EqualFold would decode
// runes, and header names have none.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
