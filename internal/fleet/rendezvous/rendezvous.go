// Package rendezvous brings the members of a run together over a Redis that is
// nobody's but theirs (never the one of the system under test): all wait until
// all are ready, all start at one instant, all stop when one is told to, and what
// each measured is handed over. It judges nothing.
package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Lease is how long members go on without a controller.
const Lease = 15 * time.Second

// NoController is in the words of a member that stopped because the lease ran out.
const NoController = "no controller was to be seen"

// The protocol's times.
const (
	keep       = 24 * time.Hour         // every key ends by itself
	lease      = Lease                  // without a controller for so long, members stop
	kept       = 8 * time.Second        // how long a controller that is gone holds the lease, and keeps its successor waiting
	absent     = lease - kept           // for so long members see no lease before they stop: it ended when the controller had been gone for the rest
	renewLease = 2 * time.Second        // how often it is renewed
	alive      = 5 * time.Second        // a member that is silent for so long is lost
	beat       = time.Second            // how often a member says that it lives
	poll       = 100 * time.Millisecond // how often members look for the start and for an abort
	lead       = 2 * time.Second        // from the decision to start until the start
	call       = 2 * time.Second        // how long one question may take while the load goes on
)

// prefix begins every key.
const prefix = "vitals:"

// Meeting is one run's place in Redis.
type Meeting struct {
	rdb *redis.Client
	run string
}

// Open connects to the Redis at url (redis:// or rediss://). Errors hold no
// password.
func Open(url, run string) (*Meeting, error) {
	if run == "" || strings.ContainsAny(run, "{} \n") {
		return nil, fmt.Errorf("rendezvous: run id %q: want letters, digits and hyphens", run)
	}
	opt, err := redis.ParseURL(strings.TrimSpace(url))
	if err != nil {
		return nil, errors.New("rendezvous: the URL is not redis://USER:PASSWORD@HOST:PORT or rediss://…") // the library's words may hold the password
	}
	redis.SetLogger(silent{}) // what goes wrong comes back as an error
	opt.MaxRetries = 3
	opt.ContextTimeoutEnabled = true // a Redis that hangs must not keep a member from stopping
	return &Meeting{redis.NewClient(opt), run}, nil
}

// silent keeps the client library's own lines out of a report.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// OpenFile is Open with the URL that a file holds.
func OpenFile(file, run string) (*Meeting, error) {
	if file == "" {
		return nil, errors.New("no rendezvous: name the file with its URL (--rendezvous-file)")
	}
	url, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Open(string(url), run)
}

// Close gives the connections back.
func (m *Meeting) Close() error { return m.rdb.Close() }

// key names a key of the run; the braces keep all of them on one node of a
// cluster.
func (m *Meeting) key(name string, index ...int) string {
	k := prefix + "{" + m.run + "}:" + name
	for _, i := range index {
		k += fmt.Sprintf(":%d", i)
	}
	return k
}

// clock is the offset of Redis's clock from ours, and how wrong it may be: half
// the round trip of the quickest of eight questions.
func (m *Meeting) clock(ctx context.Context) (offset, bound time.Duration, err error) {
	bound = time.Hour
	for range 8 {
		asked := time.Now()
		at, err := m.rdb.Time(ctx).Result()
		if err != nil {
			return 0, 0, fmt.Errorf("rendezvous: ask the time: %w", err)
		}
		round := time.Since(asked)
		if round/2 < bound {
			bound, offset = round/2, at.Sub(asked.Add(round/2))
		}
	}
	return offset, bound, nil
}

// Unknown is the answer about a run that no controller has led here within a day.
type Unknown struct{ Run string }

func (u *Unknown) Error() string {
	return fmt.Sprintf("no run %s is known at this rendezvous: a controller makes it known (vitals fleet run … --run-id %s)", u.Run, u.Run)
}

// Look is Unknown when no controller has led the run.
func (m *Meeting) Look(ctx context.Context) error {
	n, err := m.rdb.Exists(ctx, m.key("plan")).Result()
	if err != nil {
		return fmt.Errorf("rendezvous: look for the run: %w", err)
	}
	if n == 0 {
		return &Unknown{m.run}
	}
	return nil
}

// Abort tells every member to stop; the first reason stands.
func (m *Meeting) Abort(ctx context.Context, reason string) error {
	return m.rdb.SetNX(ctx, m.key("abort"), reason, keep).Err()
}

// wait calls done every poll until it says true, fails, or the time is over.
func wait(ctx context.Context, until time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, until)
	defer cancel()
	t := time.NewTicker(poll)
	defer t.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
