package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// dialer resolves its host once and stays with the answer: a name server under
// the load would be measured with the server.
type dialer struct {
	hostport string
	secure   *tls.Config // nil = plain

	mu    sync.Mutex
	addrs []netip.AddrPort
}

func (d *dialer) resolve(ctx context.Context) ([]netip.AddrPort, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.addrs != nil {
		return d.addrs, nil
	}
	host, service, err := net.SplitHostPort(d.hostport)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", d.hostport, err)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, fmt.Errorf("resolve port of %s: %w", d.hostport, err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", host, err)
	}
	for _, ip := range ips {
		d.addrs = append(d.addrs, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return d.addrs, nil
}

// connect tries the host's addresses in turn, those of the source address's
// family only.
func (d *dialer) connect(ctx context.Context, from netip.Addr) (net.Conn, error) {
	addrs, err := d.resolve(ctx)
	if err != nil {
		return nil, err
	}
	nd := net.Dialer{KeepAlive: -1, Control: control}
	if from.IsValid() {
		nd.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	err = fmt.Errorf("dial %s: no address of the family of %s", d.hostport, from)
	for _, a := range addrs {
		if from.IsValid() && from.Is4() != a.Addr().Is4() {
			continue
		}
		var nc net.Conn
		if nc, err = nd.DialContext(ctx, "tcp", a.String()); err == nil {
			return d.encrypt(ctx, nc)
		}
	}
	return nil, err
}

func (d *dialer) encrypt(ctx context.Context, nc net.Conn) (net.Conn, error) {
	if d.secure == nil {
		return nc, nil
	}
	tc := tls.Client(nc, d.secure)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("handshake with %s: %w", d.hostport, err)
	}
	return tc, nil
}
