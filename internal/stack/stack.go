// Package stack is where the system under test comes from: started here as a
// child process (Embedded), started as containers (internal/stack/containers), or
// already there (External). It knows nothing of load.
package stack

import (
	"context"
	"net/netip"
	"net/url"

	"vitals/internal/observe"
)

// Account is a user that exists in the system under test.
type Account struct{ Email, Password string }

// Setting is one setting in force, as the system under test declares it.
// Secrets arrive redacted.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"` // default, env or file
}

// Stack is a system under test that is up and answers.
type Stack struct {
	Kind       string // embedded, containers, url
	URL        *url.URL
	Metrics    *url.URL      // its Prometheus page; nil when out of reach
	Names      observe.Names // what that page calls our figures; nil = as ours does
	Admins     []*url.URL    // the pages of all API processes; Metrics is the first
	Meter      observe.Meter // the API's CPU and memory; nil when out of reach
	Cores      float64       // cores the API may use
	Accounts   []Account
	Settings   []Setting
	Deviations []string          // from the production limits
	Images     map[string]string // role → image and its id
	Labels     map[string]string // of the API's image, when it is not this program's; nil = it is
	Info       map[string]string // what a reader should know: database, addresses
	// Source gives every user and intruder a client address of its own; nil
	// when all requests come from one address. Forward says that the address
	// travels in X-Forwarded-For, the driver being a declared trusted proxy.
	Source  func(n uint64) netip.Addr
	Forward bool
	// Evidence reads figures from behind the API: rows in its tables, commands
	// its Redis has served. Nil when out of reach.
	Evidence func(ctx context.Context) (map[string]float64, error)
	// Behind reads the statistics of the stores behind the API, under observe's
	// names. Nil when out of reach.
	Behind observe.ReadStores
	// Log is the path of the API's own log, "" when out of reach.
	Log string
	// ReadLog is what all API processes have logged so far; nil when out of reach.
	ReadLog func(ctx context.Context) ([]byte, error)
	// Replicas are the base URLs of all API processes; URL is the first.
	Replicas []*url.URL
	// Fault does something to one part: see Action. Nil when no part is ours.
	Fault func(ctx context.Context, role string, a Action) error

	closers []func(context.Context) error
}

// Action is what is done to a part of a stack while controls are watched.
type Action string

// The actions: stop and start are orderly, kill is SIGKILL, pause freezes the
// part so that its connections hang.
const (
	Stop    Action = "stop"
	Start   Action = "start"
	Pause   Action = "pause"
	Unpause Action = "unpause"
	Kill    Action = "kill"
)

// Starter starts a stack. On an error nothing is left running.
type Starter interface {
	Start(ctx context.Context) (*Stack, error)
}

// OnClose registers f to run at Close, last registered first.
func (s *Stack) OnClose(f func(context.Context) error) { s.closers = append(s.closers, f) }

// Close stops everything that was started, all of it even when a part fails,
// and returns the first error.
func (s *Stack) Close(ctx context.Context) error {
	var first error
	for i := len(s.closers) - 1; i >= 0; i-- {
		if err := s.closers[i](ctx); err != nil && first == nil {
			first = err
		}
	}
	s.closers = nil
	return first
}
