package load

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"vitals/internal/wire"
)

// fleet are the clients of a run: one for each address of the system.
type fleet []wire.Doer

// of is the client of user or arrival n, who stays with it like behind a balancer
// that knows its visitors.
func (f fleet) of(n uint64) wire.Doer { return f[n%uint64(len(f))] }

// newFleet makes the clients, and says which they are and why.
func newFleet(opt Options) (f fleet, why string) {
	if len(opt.Replicas) == 0 {
		opt.Replicas = []*url.URL{opt.Base}
	}
	for _, base := range opt.Replicas {
		var c wire.Doer
		c, why = wire.Choose(base, opt.NetHTTP, opt.TLS)
		f = append(f, c)
	}
	return f, why
}

func (f fleet) start(origin time.Time) {
	for _, c := range f {
		c.Start(origin)
	}
}

func (f fleet) close() {
	for _, c := range f {
		c.Close()
	}
}

// dials is how many connections were opened; 0 where net/http does not tell.
func (f fleet) dials() (n int64) {
	for _, c := range f {
		if raw, ok := c.(*wire.Raw); ok {
			n += raw.Dials()
		}
	}
	return n
}

// warm opens n connections, an equal share to each address.
func (f fleet) warm(ctx context.Context, n int) error {
	for _, c := range f {
		raw, ok := c.(*wire.Raw)
		if !ok {
			continue
		}
		if err := raw.Warm(ctx, netip.Addr{}, (n+len(f)-1)/len(f), 10*time.Second); err != nil {
			return err
		}
	}
	return nil
}
