// Package load is the engine: it turns a scenario into requests on vegeta's
// attacker, due-time based, and hands each one to the recorder.
package load

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"vitals/measure"
)

// Account is a user of the system under test that the load may sign in as.
type Account struct{ Email, Password string }

// Options of one run. Zero values are the safe defaults.
type Options struct {
	Base     *url.URL
	Accounts []Account
	Sessions *Sessions // kept between scenarios (quick pace); nil = made for this run
	Pace     string    // full or quick
	Seed     uint64
	Shard    int // this process is Shard of Shards; 0 of 1 by default
	Shards   int
	// Source picks the client address that user or arrival n sends from; nil =
	// the system's choice. With Forward the address goes into X-Forwarded-For,
	// because the driver is a declared trusted proxy there.
	Source  func(n uint64) netip.Addr
	Forward bool
	// Beside runs with the load on the run's clock (intruders, gauges), and is
	// waited for.
	Beside []func(ctx context.Context) error
	Live   func(measure.Snapshot) // called about once a second
	Every  time.Duration          // slice width, default 1s
}

// Sessions are the signed-in accounts of a session of runs.
type Sessions struct{}
