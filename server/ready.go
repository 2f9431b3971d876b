package server

import (
	"context"
	"time"
)

// The readiness check's own bounds: a probe storm costs the
// database one query a second, and a hung one costs a probe one second.
const (
	readyTimeout = time.Second
	readyTTL     = time.Second
)

// readiness asks the database whether it answers, on a connection of its own:
// through the request pool, overload would eject every replica at once. Concurrent probes share one question, and its answer holds for readyTTL.
type readiness struct {
	check func(context.Context) error // nil = nothing to ask
	turn  chan struct{}               // held while asking: probes queue behind the one that asks
	until time.Time
	good  bool
}

func newReadiness(check func(context.Context) error) *readiness {
	return &readiness{check: check, turn: make(chan struct{}, 1)}
}

func (c *readiness) ok(ctx context.Context) bool {
	if c.check == nil {
		return true
	}
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if time.Now().Before(c.until) {
		return c.good
	}
	// One prober's disconnect must not spoil the answer of the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	c.good = c.check(ctx) == nil
	c.until = time.Now().Add(readyTTL)
	return c.good
}
