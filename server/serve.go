package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve answers on l until ctx ends, then leaves in order: /ready says 503 while
// requests are still served for the drain delay (load balancers learn of the
// end later than we do), then no new connection, then what is in flight may
// finish within the shutdown timeout. abandon, which may be nil, cuts all that
// short.
func (s *Server) Serve(ctx context.Context, l net.Listener, abandon <-chan struct{}) error {
	conns := bounded(l, s.cfg, s.metrics)
	hs := s.httpServer(conns)
	ended := make(chan error, 1)
	go func() { ended <- hs.Serve(conns) }()

	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	case <-abandon:
		return errors.Join(ErrAbandoned, hs.Close(), drop(<-ended))
	}
	s.Drain()
	s.log.Info("draining", "delay", s.cfg.Shutdown.DrainDelay.String())
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s while draining: %w", l.Addr(), err)
	case <-time.After(s.cfg.Shutdown.DrainDelay):
	case <-abandon:
		return errors.Join(ErrAbandoned, hs.Close(), drop(<-ended))
	}
	hs.SetKeepAlivesEnabled(false)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Shutdown.Timeout)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-abandon:
			cancel()
		case <-grace.Done():
		}
	}()
	err := hs.Shutdown(grace)
	cancel()
	<-watched
	if err != nil {
		err = errors.Join(fmt.Errorf("finish what was in flight: %w", err), hs.Close())
	}
	return errors.Join(err, drop(<-ended))
}

// ErrAbandoned is Serve's error when abandon cut it short.
var ErrAbandoned = errors.New("the supervisor is gone")

// drop forgets the error that says no more than that the server was closed.
func drop(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
