package audit

import (
	"context"
	"crypto/tls"
	"net/netip"
	"net/url"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// SafeRate is how many requests a second safe probes send at most to a target
// that nobody declared to own.
const SafeRate = 5

// safePause keeps safe probes a little below SafeRate.
const safePause = time.Second/SafeRate + 10*time.Millisecond

// Account is a user of the target, made for tests.
type Account struct {
	Email, Password string
	Role            string // "" = an ordinary user; staff, admin
}

// Target is the API under audit and what the caller knows of it. Only URL and
// Profile are needed; what is absent makes the probes that need it skip.
type Target struct {
	URL      *url.URL
	Replicas []*url.URL // every process's own address; URL is the first
	Profile  *profile.Profile
	Admin    *url.URL   // its Prometheus page
	Admins   []*url.URL // those of all replicas
	Origin   string     // an origin that its CORS settings allow
	Own      bool       // the user owns it: safe probes need not be paced
	Accounts []Account
	// Source gives each trial a client address of its own; nil when all requests
	// come from one. Forward says that it travels in X-Forwarded-For, this
	// driver being a trusted proxy of the target.
	Source  func(n uint64) netip.Addr
	Forward bool
	// Limits overrides the profile's table, by policy, as a short clock does.
	Limits     map[string]profile.Limit
	ShortClock bool
	// Mail waits for the newest message to an address; nil when out of reach.
	Mail func(ctx context.Context, to string) (string, error)
	// Log is what the API has logged so far; nil when out of reach.
	Log  func() ([]byte, error)
	TLS  *tls.Config // authorities to trust and a certificate to show; nil = the system's and none
	Deaf bool        // its limits are not checked by invariants: what it may do is not in them
	// Settings are the environment variables that differ from their defaults.
	Settings map[string]string
}

// rules are the target's limits as the checker of limits needs them.
func (g *Target) rules() map[string]limitcheck.Rule {
	limits := map[string]profile.Limit{}
	for name := range g.Profile.Limits {
		limits[name], _ = g.named(name)
	}
	return g.Profile.Rules(limits)
}

// Owner starts APIs that belong to the audit, so that probes can configure them
// and break what they stand on.
type Owner interface {
	// Launch starts an API. It returns once the API answers or has ended; an
	// API that refused to start is no error. The caller closes what it gets.
	Launch(ctx context.Context, l Launch) (*API, error)
}

// Launch says how an API of one's own is to be started. Its stores are empty but
// for seeded accounts.
type Launch struct {
	Env      map[string]string // replaces or adds variables; "" unsets one
	Args     []string          // of the program; nil = serve
	Replicas int               // processes side by side that share their stores; 0 = 1
	Postgres bool              // on a database of its own in Postgres, else on SQLite
	Redis    bool              // with a Redis of its own as the limiter's store
	Breaks   bool              // Postgres is to be broken, so nobody else may use it
	Accounts int               // to seed; 0 = 60
	Bare     bool              // seed nothing: it is expected not to start
	CPUs     int               // processors it may use; 0 = all
}

// Missing is a program that a launch needs and this machine does not have: the
// probe is skipped, and told what to install.
type Missing struct{ What, Install string }

func (m *Missing) Error() string { return "no " + m.What + " on this machine (" + m.Install + ")" }

// API is an API that was launched, and what can be done to it.
type API struct {
	Target   *Target
	Exited   bool // it ended by itself, with Code
	Code     int
	Log      func() []byte                                                            // all output so far
	PIDs     func() []int                                                             // of the replicas
	Stop     func(ctx context.Context, replica int) (code int)                        // SIGTERM, and wait
	Restart  func(ctx context.Context, replica int) error                             // SIGKILL, and start at the same address
	Fault    func(ctx context.Context, part, action string) error                     // nil without a Redis, or a Postgres to break
	SQL      func(ctx context.Context, query string, args ...any) ([][]string, error) // nil without a Postgres
	Redis    func(ctx context.Context, args ...any) (any, error)                      // nil without a Redis
	Close    func(ctx context.Context) error
	Patience time.Duration // how long a start may take on this machine
}

// The actions that API.Fault does to a part ("postgres", "redis").
const (
	stopPart    = "stop"
	startPart   = "start"
	pausePart   = "pause"
	unpausePart = "unpause"
	killPart    = "kill"
)
