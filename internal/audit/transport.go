package audit

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// timeout bounds one exchange: longer than any wait the API may impose on a
// sign-in, shorter than a reader's patience.
const timeout = 20 * time.Second

// pool keeps a client for each source address, so that two addresses never
// share a connection. It follows no redirect, keeps no cookie and asks for no
// compression: a probe sees what was sent.
type pool struct {
	mu      sync.Mutex
	clients map[netip.Addr]*http.Client
}

func newPool() *pool { return &pool{clients: map[netip.Addr]*http.Client{}} }

func (p *pool) client(from netip.Addr) *http.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.clients[from]
	if !ok {
		c = &http.Client{
			Timeout:       timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext:         dialer(from).DialContext,
				DisableCompression:  true,
				MaxIdleConnsPerHost: 256,
				// Shorter than any server's: after a wait a probe dials anew, rather
				// than write into a connection that is being closed.
				IdleConnTimeout: 500 * time.Millisecond,
				TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			},
		}
		p.clients[from] = c
	}
	return c
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		c.CloseIdleConnections()
	}
}

// dialer dials from a source address of its own; zero = the system's choice.
func dialer(from netip.Addr) *net.Dialer {
	d := &net.Dialer{Timeout: 5 * time.Second}
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	return d
}

// dial opens a socket to the target for probes in which framing matters.
func (t *T) dial(from netip.Addr) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
	defer cancel()
	if t.target.Forward {
		from = netip.Addr{} // it travels in a header
	}
	d := dialer(from)
	if t.target.URL.Scheme == "https" {
		return (&tls.Dialer{NetDialer: d, Config: &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}}).
			DialContext(ctx, "tcp", hostPort(t.target.URL.Host, "443"))
	}
	return d.DialContext(ctx, "tcp", hostPort(t.target.URL.Host, "80"))
}

// hostPort adds the scheme's port to a host without one.
func hostPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, port)
}
