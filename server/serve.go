package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// serve answers on l until ctx ends, then leaves in order: /ready says 503 while
// requests are still served for the drain delay (load balancers learn of the
// end later than we do), then no new connection, then what is in flight may
// finish within the shutdown timeout.
func (s *Server) serve(ctx context.Context, l net.Listener) error {
	hs := s.httpServer()
	ended := make(chan error, 1)
	go func() { ended <- hs.Serve(limited(l, s.cfg.HTTP)) }()

	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.Drain()
	s.log.Info("draining", "delay", s.cfg.Shutdown.DrainDelay.String())
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s while draining: %w", l.Addr(), err)
	case <-time.After(s.cfg.Shutdown.DrainDelay):
	}
	hs.SetKeepAlivesEnabled(false)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Shutdown.Timeout)
	defer cancel()
	err := hs.Shutdown(grace)
	if err != nil {
		err = errors.Join(fmt.Errorf("finish what was in flight: %w", err), hs.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
