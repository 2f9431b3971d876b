package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/fault"
)

// Run looks after the limiter four times a second; in calm, what needs no haste
// is done at every fourth look. One look may take longer than a request would
// wait, because it may have to read the database.
const (
	lookEvery = 250 * time.Millisecond
	lookFor   = 5 * time.Second
	calm      = 4
)

// engine is a whole limiter: what counts, and what remembers accounts.
type engine interface {
	Limiter
	Accounts
}

// Open makes the gate and the limiter behind it: in Redis when o.Redis.URL is
// set (in this process while Redis does not answer), else in this process alone. locks is where locks outlive both; nil keeps none. reg nil
// registers no metric, log nil discards. It fails on wrong options, on saved
// locks that cannot be read, and, under o.Redis.Strict, with Evicts; a Redis that
// does not answer is no error: the gate opens degraded. Run must run as long as
// the gate is used; Close comes after it.
func Open(ctx context.Context, o Options, locks Locks, reg prometheus.Registerer, log *slog.Logger) (*Gate, error) {
	g, err := open(ctx, o, locks, reg, log)
	if err != nil {
		return nil, fmt.Errorf("open the rate limiter: %w", err)
	}
	return g, nil
}

func open(ctx context.Context, o Options, locks Locks, reg prometheus.Registerer, log *slog.Logger) (*Gate, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Gate{
		options: o, policies: Policies(o.Quotas),
		queues: newWaitQueues(), metrics: newMetrics(reg), events: &events{log: log}, log: log,
	}
	if o.Off {
		log.Warn("rate limiting is off: nothing is counted, nobody is locked out")
		return g, nil
	}

	memory := NewMemory(o.Lease, o.Memory)
	live := func(context.Context) ([]Lock, error) { return memory.Held(), nil }
	if locks != nil {
		g.mirror = newMirror(locks, log, g.metrics.droppedWrite)
		live = g.mirror.live
	}
	g.remember = func(ctx context.Context) error {
		locks, err := live(ctx)
		for _, l := range locks {
			if p, ok := g.policies[l.Policy]; ok {
				memory.Hold(p, l.Key, time.Until(l.Until))
			}
		}
		return err
	}
	if err := g.remember(ctx); err != nil {
		return nil, err
	}

	var e engine = memory
	g.locks = memory
	if o.Redis.URL != "" && !fault.Is(fault.CountersInProcess) {
		r, err := newRedis(o.Redis, o.Lease, live, g.metrics, log)
		if err != nil {
			return nil, err
		}
		g.fallback = newFallback(r, memory, o, g.metrics, log)
		g.fallback.remember = g.remember
		if err := g.greet(ctx); err != nil {
			return nil, errors.Join(err, r.Close())
		}
		e, g.locks = g.fallback, g.fallback
	}
	if fault.Built {
		b := broken{e}
		e, g.locks = b, b
	}
	if g.mirror != nil {
		e = mirrored{e, g.mirror}
	}
	g.limiter, g.accounts = e, e
	return g, nil
}

// greet meets Redis for the first time.
func (g *Gate) greet(ctx context.Context) error {
	if err := g.fallback.redis.vouch(ctx); err != nil {
		g.fallback.degrade(err)
		return nil
	}
	err := g.checkEviction(ctx)
	if _, evicts := errors.AsType[Evicts](err); evicts && g.options.Redis.Strict {
		return err
	}
	return nil
}

// checkEviction warns of a server that may lose locks.
func (g *Gate) checkEviction(ctx context.Context) error {
	err := g.fallback.redis.checkEviction(ctx)
	if err != nil {
		g.log.Warn("locks may be lost", "error", err)
	}
	return err
}

// Run keeps the limiter until ctx ends, and returns nil: it renews the sentinel
// each second, finds out when Redis is back, and saves what could not be saved.
func (g *Gate) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			g.flush(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			g.look(ctx, n%calm == 0)
		}
	}
}

// look is one look; slow adds what needs no haste.
func (g *Gate) look(ctx context.Context, slow bool) {
	if slow {
		g.flush(ctx)
	}
	degraded := g.fallback != nil && g.fallback.degraded()
	if g.fallback == nil || !slow && !degraded {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	if slow && degraded { // locks that other replicas start meanwhile
		if err := g.remember(ctx); err != nil {
			g.log.Warn("locks of other replicas are not known here", "error", err)
		}
	}
	g.fallback.keep(ctx)
	if degraded && !g.fallback.degraded() { // it may be another server
		_ = g.checkEviction(ctx)
	}
}

// flush saves the locks that the database did not take at once.
func (g *Gate) flush(ctx context.Context) {
	if g.mirror == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	if err := g.mirror.flush(ctx); err != nil {
		g.log.Warn("locks are not saved yet", "error", err)
	}
}

// Close ends the connections to Redis.
func (g *Gate) Close() error {
	if g.fallback == nil {
		return nil
	}
	return g.fallback.redis.Close()
}
