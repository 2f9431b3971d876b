package wire

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// stale is the idle time after which a connection is asked whether the server
// has closed it, before a request is wasted on it. Under load none is idle so long.
const stale = 50 * time.Millisecond

// take is an idle connection from the call's source address, or a new one.
func (t *Raw) take(ctx context.Context, c *Call) (*conn, error) {
	for {
		k := t.pop(c.From)
		if k == nil {
			return t.connect(ctx, c.From, c.Timeout)
		}
		idle := c.Began - k.idle
		if (t.rest == 0 || idle < t.rest) && (idle < stale || k.alive()) {
			return k, nil
		}
		t.drop(k)
	}
}

func (t *Raw) pop(from netip.Addr) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.local
	if from.IsValid() {
		list = t.idle[from]
	}
	n := len(list)
	if n == 0 {
		return nil
	}
	k := list[n-1]
	list[n-1] = nil
	if from.IsValid() {
		t.idle[from] = list[:n-1]
	} else {
		t.local = list[:n-1]
	}
	return k
}

// put gives a connection back, or ends it.
func (t *Raw) put(k *conn, again bool, now time.Duration) {
	if !again || t.ctx.Err() != nil {
		t.drop(k)
		return
	}
	k.idle = now
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.from.IsValid() {
		t.idle[k.from] = append(t.idle[k.from], k)
	} else {
		t.local = append(t.local, k)
	}
}

func (t *Raw) drop(k *conn) {
	_ = k.Conn.Close()
	t.mu.Lock()
	delete(t.open, k)
	t.mu.Unlock()
}

// connect dials within the timeout.
func (t *Raw) connect(ctx context.Context, from netip.Addr, timeout time.Duration) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dctx, cancel := t.ctx, context.CancelFunc(func() {})
	if timeout > 0 {
		dctx, cancel = context.WithTimeout(t.ctx, timeout)
	}
	defer cancel()
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	nc, err := t.dial.connect(dctx, from)
	if err != nil {
		if ctx.Err() != nil || t.ctx.Err() != nil {
			err = context.Canceled
		}
		return nil, err
	}
	k := &conn{Conn: nc, reader: reader{src: nc, buf: make([]byte, minBuffer)}, from: from, alive: liveness(nc)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil { // closed meanwhile
		_ = nc.Close()
		return nil, net.ErrClosed
	}
	t.open[k] = struct{}{}
	t.dials++
	return k, nil
}

// Warm opens n connections from the source address and leaves them idle, so that
// no measured request pays for the handshake.
func (t *Raw) Warm(ctx context.Context, from netip.Addr, n int, timeout time.Duration) error {
	conns := make([]*conn, 0, n)
	defer func() {
		for _, k := range conns {
			t.put(k, true, time.Since(t.origin))
		}
	}()
	for len(conns) < n {
		k, err := t.connect(ctx, from, timeout)
		if err != nil {
			return fmt.Errorf("open connection %d of %d to %s: %w", len(conns)+1, n, t.host, err)
		}
		conns = append(conns, k)
	}
	return nil
}

// Dials is how many connections were ever opened.
func (t *Raw) Dials() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dials
}
