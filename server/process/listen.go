package process

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"vitals/server/config"
)

// listen opens a TCP listener. Port 0 takes a free one.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// publicAddr is HOST:PORT.
func publicAddr(c config.Core) string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }
