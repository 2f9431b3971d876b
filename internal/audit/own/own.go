// Package own starts APIs that belong to an audit, as child processes of this
// machine beside a Postgres and a Redis of their own, so that control probes may
// configure them and break what they stand on. It runs the vitals binary and
// knows nothing of what is inside.
package own

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// Origin is the one origin that APIs under audit allow, and Admin an account
// that the API's seeding makes.
const (
	Origin = "https://app.clinic.example.net"
	Admin  = "admin-001@clinic.test"
)

// Environment are the settings that an API under audit has beyond its defaults:
// an allowed origin, and mail that can be read. The second factor is asked of
// clinicians and not of admins, so that an admin's sign-in takes one step.
func Environment(mails string) map[string]string {
	return map[string]string{
		"CORS_DISABLE": "false", "BACKEND_CORS_ORIGINS": Origin, "PRODUCTION_CORS_ORIGINS": Origin,
		"MAIL_SINK": "dir:" + mails, "TWO_FACTOR_REQUIRED_ROLES": "clinician",
	}
}

// Mailbox reads the newest mail to an address in a folder of .eml files, waiting
// some seconds for one that no earlier call has given.
func Mailbox(dir string) func(ctx context.Context, to string) (string, error) {
	var mu sync.Mutex
	given := map[string]bool{}
	return func(ctx context.Context, to string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		for {
			names, err := fs.Glob(os.DirFS(dir), "*.eml")
			if err != nil {
				return "", err
			}
			for _, name := range slices.Backward(names) { // names sort by time
				mu.Lock()
				seen := given[name]
				mu.Unlock()
				if seen {
					continue
				}
				text, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil || !strings.Contains(string(text), "\r\nTo: "+to+"\r\n") || !strings.Contains(string(text), "token=") {
					continue
				}
				mu.Lock()
				given[name] = true
				mu.Unlock()
				return string(text), nil
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("no mail to %s within 15 s", to)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

// Options of an owner.
type Options struct {
	Binary  string // the vitals binary, which is also the API
	Profile *profile.Profile
	Env     map[string]string // of every API, below what a launch asks for
	// Images to run Postgres and Redis from as containers, the first that is there;
	// nil runs the programs of this machine.
	Postgres, Redis []string
}

// Owner launches APIs. It implements audit.Owner.
type Owner struct {
	o   Options
	mu  sync.Mutex
	dir string
	pg  *postgres // the template of clusters; of containers, the one that is shared
	n   int
	// common are what launches share, to be ended with the last.
	common []func(context.Context) error
}

// New makes an owner that has started nothing yet.
func New(o Options) *Owner { return &Owner{o: o} }

// Close ends what launches share. APIs are closed by who launched them.
func (o *Owner) Close(ctx context.Context) (err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, end := range o.common {
		err = errors.Join(err, end(ctx))
	}
	if o.dir != "" {
		err = errors.Join(err, os.RemoveAll(o.dir))
	}
	o.pg, o.dir, o.common = nil, "", nil
	return err
}

// folder makes a folder for one launch.
func (o *Owner) folder() (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "vitals-own-")
		if err == nil {
			err = os.Chmod(dir, 0o755) // Postgres runs as another user
		}
		if err != nil {
			return "", fmt.Errorf("make a folder for APIs of our own: %w", err)
		}
		o.dir = dir
	}
	o.n++
	dir := filepath.Join(o.dir, fmt.Sprint(o.n))
	return dir, os.Mkdir(dir, 0o755)
}

// Launch starts an API as l says, with the parts it needs.
func (o *Owner) Launch(ctx context.Context, l audit.Launch) (_ *audit.API, err error) {
	dir, err := o.folder()
	if err != nil {
		return nil, err
	}
	f := &fleet{binary: o.o.Binary, dir: dir, args: l.Args, cpus: l.CPUs}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close(context.WithoutCancel(ctx)))
		}
	}()
	mails := filepath.Join(dir, "mail")
	if err := os.Mkdir(mails, 0o755); err != nil {
		return nil, err
	}
	env := map[string]string{
		"ENV": "test", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "HOST": "127.0.0.1",
		"SECRET_KEY": rand.Text() + rand.Text(), "DATABASE_URL": "sqlite:" + filepath.Join(dir, "clinic.db"),
		"SHUTDOWN_DRAIN_DELAY": "0", "PATH": os.Getenv("PATH"), "TMPDIR": dir, "HOME": dir,
	}
	maps.Copy(env, Environment(mails))
	maps.Copy(env, o.o.Env)
	api := &audit.API{Patience: startPatience}
	if l.Postgres {
		if err := o.postgres(ctx, f, env, api, l.Breaks); err != nil {
			return nil, err
		}
	}
	if l.Redis {
		if err := o.redis(ctx, f, env, api); err != nil {
			return nil, err
		}
	}
	for name, value := range l.Env {
		if env[name] = value; value == "" {
			delete(env, name)
		}
	}
	f.env = env
	password := rand.Text()
	n := l.Accounts
	if n == 0 {
		n = 60
	}
	if !l.Bare {
		if err := f.seed(ctx, n, password); err != nil {
			return nil, err
		}
	}
	if err := f.start(ctx, max(1, l.Replicas), api); err != nil {
		return nil, err
	}
	f.describe(api, o.o.Profile, mails)
	for i := range n {
		api.Target.Accounts = append(api.Target.Accounts, audit.Account{Email: fmt.Sprintf("patient-%06d@clinic.test", i+1), Password: password})
	}
	api.Target.Accounts = append(api.Target.Accounts, audit.Account{Email: Admin, Password: password, Role: "admin"})
	return api, nil
}

// source gives each trial an address of its own in 127.64.0.0/12, apart from
// those of the audited stack.
func source(n uint64) netip.Addr {
	v := uint32(n%(1<<20-2)) + 1
	return netip.AddrFrom4([4]byte{127, byte(64 + v>>16), byte(v >> 8), byte(v)})
}
