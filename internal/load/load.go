// Package load is the engine: it turns a scenario into requests on vegeta's
// attacker, counts every one of them from the moment it was due, and hands each
// to the recorder. It judges nothing but itself: how late it was, and whether
// what was measured can be believed.
package load

import (
	"context"
	"crypto/tls"
	"net/netip"
	"net/url"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

// Account is a user of the system under test that the load may sign in as.
type Account struct{ Email, Password string }

// Options of one run. Zero values are the safe defaults.
type Options struct {
	Base     *url.URL
	Replicas []*url.URL // all addresses of the system, Base and its path among them; nil = Base alone
	Accounts []Account
	Sessions *Sessions // kept between scenarios (quick pace); nil = made for this run
	Pace     string    // full (default) or quick
	Seed     uint64
	Shard    int // this process is Shard of Shards; 0 of 1 by default
	Shards   int
	// Source picks the client address that user or arrival n sends from; nil =
	// the system's choice. With Forward the address goes into X-Forwarded-For,
	// because the driver is a declared trusted proxy there.
	Source  func(n uint64) netip.Addr
	Forward bool
	// During runs with the load (intruders, gauges), is given the moment from
	// which all offsets count, and is waited for. Its context ends with the load.
	During []func(ctx context.Context, began time.Time) error
	// Seen is told of every request when it has ended, those before the measured
	// window included, by the goroutine that sent it: it must be quick, and safe for
	// concurrent use.
	Seen func(*wire.Seen)
	// Refused tells whether an answer is a limit's refusal, by its status and whether
	// it says how long to wait; nil = 429 is one.
	Refused func(status int, waitTold bool) bool
	// Await is asked when all is ready to begin, users signed in and connections
	// open, and says when to: the members of one run begin at one instant. An error
	// ends the run before anything was sent. nil = at once.
	Await func(ctx context.Context) (time.Time, error)
	Live  func(measure.Snapshot) // called about once a second
	// Abort is asked about once a second; a reason ends the run early.
	Abort func(measure.Snapshot) (reason string)
	// SigningIn is told how far the sign-in before the measured window is.
	SigningIn func(done, of int)
	// MaxLag is the 99th percentile of our own lateness past which latencies are
	// not the server's; default 2ms. Give a tenth of the strictest latency that is
	// asked for. A pause of our garbage collector is judged by it too, from 10ms on.
	MaxLag time.Duration
	// NoTimes says that nobody asks for a time or a rate: what the machine did to the
	// generator then makes the run suspect, and not invalid.
	NoTimes bool
	Env     func(name string) (value string, ok bool) // of {{env NAME}}; nil = the process's environment
	Kill    context.Context                           // ends requests under way at once; nil = never
	Grace   time.Duration                             // for requests under way once ctx ends, default 5s
	TLS     *tls.Config                               // authorities to trust and a certificate to show; nil = the system's and none
	Direct  bool                                      // users without think time: own loop instead of an attacker each, for saturation
	NetHTTP bool                                      // use net/http even where the lean client would do
}

// Outcome is what a run was, beside what the recorder holds.
type Outcome struct {
	Began      time.Time // every offset in the recorder counts from here
	Took       time.Duration
	Counts     measure.Counts // planned, sent, dropped, unsent, of all steps, inside and outside the phases
	Health     measure.Health
	Client     string // which client sent the requests, and why
	SignedIn   int    // accounts signed in, before and inside the load
	Conns      int64  // connections opened; 0 where net/http does not tell
	Notes      []string
	Partial    bool               // ended before its schedule did
	EndedBy    measure.Ending     // by whom, then
	EndedEarly string             // why, when the engine or an abort rule ended it; "" when the caller did
	Failures   []measure.Exemplar // the request without which the load did not begin
}
