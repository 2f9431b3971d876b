package wire

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// concurrentWrite is the request size from which the answer is read while the
// request is still being written: past the socket buffers an early refusal (413)
// would otherwise wait for a reader that never comes.
const concurrentWrite = 64 << 10

// Raw speaks HTTP/1.1 over plain TCP to one host. Connections are kept per source
// address and used again last in, first out; there are as many as exchanges were
// ever under way at once.
type Raw struct {
	host   string        // Host header
	rest   time.Duration // that a connection may lie idle and be used again; 0 = any
	dial   dialer
	origin time.Time

	mu     sync.Mutex
	idle   map[netip.Addr][]*conn
	local  []*conn // idle connections without a source address: the hot path skips the map
	open   map[*conn]struct{}
	dials  int64
	ctx    context.Context // ended by Close, so that dials under way end too
	cancel context.CancelFunc
}

// NewRaw makes a client for hostport ("127.0.0.1:8080"), over TLS when secure is
// not nil. The name is resolved once, at the first dial.
func NewRaw(hostport string, secure *tls.Config) *Raw {
	ctx, cancel := context.WithCancel(context.Background())
	standard := ":80"
	if secure != nil {
		standard = ":443"
	}
	return &Raw{
		host: strings.TrimSuffix(hostport, standard), dial: dialer{hostport: hostport, secure: secure}, origin: time.Now(),
		idle: map[netip.Addr][]*conn{}, open: map[*conn]struct{}{}, ctx: ctx, cancel: cancel,
	}
}

// conn is one connection with its buffers.
type conn struct {
	net.Conn
	reader
	out      []byte
	from     netip.Addr
	uses     int
	idle     time.Duration // since when; offset from the origin
	deadline time.Time     // the one set on Conn; no offset, for it outlives the origin
	alive    func() bool
}

// Start implements Doer.
func (t *Raw) Start(origin time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.origin = origin
	for k := range t.open {
		k.idle = 0
	}
}

// Do implements Doer.
func (t *Raw) Do(ctx context.Context, c *Call) {
	c.reset()
	c.Began = time.Since(t.origin)
	k, err := t.take(ctx, c)
	if err != nil {
		t.fail(c, err, connecting)
		return
	}
	c.Reused = k.uses > 0
	k.uses++
	again, err := t.exchange(k, c)
	c.Done = time.Since(t.origin)
	if err != nil {
		c.Err, c.Class = err, classify(err, k.stage, c.Reused)
	}
	t.put(k, again && err == nil, c.Done)
}

func (t *Raw) fail(c *Call, err error, at stage) {
	c.Done = time.Since(t.origin)
	c.Err, c.Class = err, classify(err, at, false)
}

// exchange writes the request and reads the answer.
func (t *Raw) exchange(k *conn, c *Call) (again bool, err error) {
	k.stage = writing
	if err := t.arm(k, c); err != nil {
		return false, err
	}
	k.out = t.request(k.out[:0], c)
	if len(k.out) > concurrentWrite {
		return k.converse(c)
	}
	if _, err := k.Write(k.out); err != nil {
		// A server may refuse early and close: its answer counts, not our broken pipe.
		if _, early := k.answer(c); early == nil {
			return false, nil
		}
		c.Head, c.Answer, c.Bytes, k.stage = c.Head[:0], c.Answer[:0], 0, writing
		return false, err
	}
	return k.answer(c)
}

// converse writes and reads at the same time.
func (k *conn) converse(c *Call) (again bool, err error) {
	wrote := make(chan error, 1)
	go func() {
		_, err := k.Write(k.out)
		wrote <- err
	}()
	again, err = k.answer(c)
	var failed error
	select {
	case failed = <-wrote:
	default: // answered, or given up, before the request was whole: the rest has no reader
		_ = k.Conn.Close() // ends the write
		<-wrote
		failed = net.ErrClosed
	}
	if err != nil && failed != nil && k.stage == waiting {
		k.stage = writing
	}
	return again && failed == nil, err
}

// request serialises c.
func (t *Raw) request(b []byte, c *Call) []byte {
	b = append(b, c.Method...)
	b = append(b, ' ')
	b = append(b, c.Path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	if c.Host != "" {
		b = append(b, c.Host...)
	} else {
		b = append(b, t.host...)
	}
	b = append(b, '\r', '\n')
	b = append(b, c.Lines...)
	if len(c.Body) > 0 || c.Method == "POST" || c.Method == "PUT" || c.Method == "PATCH" {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(c.Body)), 10)
		b = append(b, '\r', '\n')
	}
	b = append(b, '\r', '\n')
	return append(b, c.Body...)
}

// arm sets the deadline. One that lies a little (at most 2 %) beyond what the
// call asks for is left as it is, because setting it costs a tenth of a request.
func (t *Raw) arm(k *conn, c *Call) error {
	if c.Timeout == 0 {
		if k.deadline.IsZero() {
			return nil
		}
		k.deadline = time.Time{}
		return k.SetDeadline(k.deadline)
	}
	need, slack := t.origin.Add(c.Began+c.Timeout), c.Timeout/50
	if past := k.deadline.Sub(need); past >= 0 && past <= slack {
		return nil
	}
	k.deadline = need.Add(slack)
	return k.SetDeadline(k.deadline)
}

// Close implements Doer.
func (t *Raw) Close() {
	t.cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := range t.open {
		_ = k.Conn.Close()
	}
	clear(t.idle)
	t.local = nil
}
