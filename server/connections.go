package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"vitals/server/config"
	"vitals/server/limit"
	"vitals/server/telemetry"
)

// connections bounds how many connections are open at once, in all and for one
// address, so that idle ones, which cost their owner next to nothing, shut out
// nobody. Where there is no room, a connection that waits for its client (idle, or
// its request not yet whole) is closed for the new one: the oldest, or the address's
// own. One that is at work is never closed. If all are, the new connection waits.
type connections struct {
	net.Listener
	max, perAddress int
	address         func(net.Addr) string // whose bound it is; "" = nobody's
	closed          func(reason string)   // counts a connection that was closed for room

	mu      sync.Mutex
	changed sync.Cond // a connection was closed, or begins to wait for its client
	over    bool
	open    int
	of      map[string]*addressConns
	waiting list.List // of *connection, oldest first
}

// addressConns is the connections of one address.
type addressConns struct {
	open    int
	waiting list.List // of *connection, oldest first
}

// connection is one open connection.
type connection struct {
	net.Conn
	all     *connections
	address string
	of      *addressConns
	gone    bool
	// Where it stands among those that wait for their clients; nil while at work.
	inAll, inAddress *list.Element
}

// The reasons for which a connection is closed, as the metric spells them.
const (
	reasonFull    = "full"
	reasonAddress = "address"
)

// bounded bounds the connections of l as c says.
func bounded(l net.Listener, c *config.Config, m *telemetry.HTTP) *connections {
	all := &connections{
		Listener: l, max: c.HTTP.MaxConns, perAddress: c.HTTP.MaxConnsPerAddress,
		address: boundedAddress(c.Proxy.Trusted, c.Limits.IPv6Prefix), closed: m.Closed, of: map[string]*addressConns{},
	}
	all.changed.L = &all.mu
	return all
}

// boundedAddress is whose bound a connection falls under: its address as the limiter
// keys it. A trusted proxy's connections are many clients'.
func boundedAddress(trusted []netip.Prefix, v6bits int) func(net.Addr) string {
	return func(a net.Addr) string {
		from, err := netip.ParseAddrPort(a.String())
		if err != nil {
			return "" // a unix socket
		}
		addr := from.Addr().Unmap()
		if slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			return ""
		}
		return limit.Key(addr, v6bits)
	}
}

// Accept implements net.Listener.
func (l *connections) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, err := l.admit(accepted)
		if c != nil || err != nil {
			return c, err
		}
	}
}

// admit makes room for a connection and takes it in. It returns none if its address
// has as many as it may have, all at work.
func (l *connections) admit(accepted net.Conn) (net.Conn, error) {
	address := l.address(accepted.RemoteAddr())
	l.mu.Lock()
	defer l.mu.Unlock()
	if of := l.of[address]; of != nil && address != "" && of.open >= l.perAddress {
		l.closed(reasonAddress)
		if of.waiting.Len() == 0 {
			_ = accepted.Close() // nothing was said on it
			return nil, nil
		}
		of.waiting.Front().Value.(*connection).drop()
	}
	for l.open >= l.max && !l.over {
		if oldest := l.waiting.Front(); oldest != nil {
			l.closed(reasonFull)
			oldest.Value.(*connection).drop()
			continue
		}
		l.changed.Wait()
	}
	if l.over {
		_ = accepted.Close()
		return nil, net.ErrClosed
	}
	of := l.of[address]
	if of == nil {
		of = new(addressConns)
		l.of[address] = of
	}
	c := &connection{Conn: accepted, all: l, address: address, of: of}
	l.open++
	of.open++
	c.waits()
	return c, nil
}

// Close implements net.Listener.
func (l *connections) Close() error {
	l.mu.Lock()
	l.over = true
	l.changed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.forget()
	return c.Conn.Close()
}

// drop closes the connection for another; the caller holds the lock.
func (c *connection) drop() {
	c.forget()
	_ = c.Conn.Close() // its own goroutine finds out, and has nothing to tell
}

// forget takes the connection out of the counts; the caller holds the lock.
func (c *connection) forget() {
	if c.gone {
		return
	}
	c.gone = true
	c.works()
	c.all.open--
	if c.of.open--; c.of.open == 0 {
		delete(c.all.of, c.address)
	}
	c.all.changed.Signal()
}

// waits puts the connection last among those that wait for their clients; the caller
// holds the lock.
func (c *connection) waits() {
	if !c.gone && c.inAll == nil {
		c.inAll, c.inAddress = c.all.waiting.PushBack(c), c.of.waiting.PushBack(c)
		c.all.changed.Signal()
	}
}

// works takes it out from among them; the caller holds the lock.
func (c *connection) works() {
	if c.inAll != nil {
		c.all.waiting.Remove(c.inAll)
		c.of.waiting.Remove(c.inAddress)
		c.inAll, c.inAddress = nil, nil
	}
}

// state is http.Server.ConnState: an idle connection waits for its client.
func (l *connections) state(c net.Conn, state http.ConnState) {
	if c, ok := c.(*connection); ok && state == http.StateIdle {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.waits()
	}
}

type connectionKey struct{}

// context is http.Server.ConnContext: it lets atWork find the connection.
func (l *connections) context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// atWork marks the connection of a request whose headers have been read. It is so
// until net/http calls the connection idle.
func atWork(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		c.all.mu.Lock()
		defer c.all.mu.Unlock()
		c.works()
	}
}
