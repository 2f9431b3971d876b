package server

import (
	"context"
	"net/http"
	"net/netip"
)

// rooms are the parts behind the chain, opened, and how to close them.
type rooms struct {
	deps  Deps
	close func() error
}

// openRooms opens what the configuration names and maps it to each room's own
// options.
func openRooms(_ context.Context, p *process) (*rooms, error) {
	return &rooms{
		deps: Deps{
			Log: p.root, Registry: p.registry, Version: p.o.Version, Trace: p.sentry.Trace,
			ClientIP: func(r *http.Request) netip.Addr {
				peer, _ := netip.ParseAddrPort(r.RemoteAddr)
				return peer.Addr().Unmap().WithZone("")
			},
		},
		close: func() error { return nil },
	}, nil
}
