// Package audited starts systems for an audit: the one that is audited, and APIs
// beside it that control probes may configure and whose stores they may break.
// It translates between internal/stack, which starts, and internal/audit, which
// probes; it does neither itself.
package audited

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"vitals/internal/audit"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/internal/stack/local"
)

// Origin is the one origin that APIs under audit allow, and Admin an account
// that the API's seeding makes.
const (
	Origin = "https://app.clinic-under-audit.org"
	Admin  = "admin-001@clinic.test"
)

// Environment are the settings that an API under audit has beyond its defaults:
// an allowed origin, and mail that can be read in a folder. The second factor is
// asked of clinicians and not of admins, so that an admin's sign-in takes one step.
func Environment(mails string) map[string]string {
	return map[string]string{
		"CORS_DISABLE": "false", "BACKEND_CORS_ORIGINS": Origin, "PRODUCTION_CORS_ORIGINS": Origin,
		"MAIL_SINK": "dir:" + mails, "TWO_FACTOR_REQUIRED_ROLES": "clinician",
	}
}

// Options of an owner.
type Options struct {
	Binary  string // the vitals binary, which is also the API
	Profile *profile.Profile
	Env     map[string]string // of every API, below what a launch asks for
	// Containers are the images that Postgres and Redis run from; nil runs the
	// programs of this machine.
	Containers *containers.Images
}

// Owner launches APIs. It implements audit.Owner.
type Owner struct {
	o      Options
	mu     sync.Mutex
	folder *stack.Folder
	n      int
	// What launches share, started at the first need and ended by Close.
	stores   *containers.Stores
	shared   *containers.Postgres
	template *local.Postgres
}

// NewOwner makes an owner that has started nothing yet.
func NewOwner(o Options) *Owner { return &Owner{o: o} }

// Close ends what launches share. APIs are closed by who launched them.
func (o *Owner) Close(ctx context.Context) (err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.template != nil {
		err = errors.Join(err, o.template.Close(ctx))
	}
	if o.shared != nil {
		err = errors.Join(err, o.shared.Close(ctx))
	}
	if o.stores != nil {
		err = errors.Join(err, o.stores.Close(ctx))
	}
	if o.folder != nil {
		err = errors.Join(err, o.folder.Remove())
	}
	o.template, o.shared, o.stores, o.folder = nil, nil, nil, nil
	return err
}

// place makes a folder for one launch and numbers it.
func (o *Owner) place() (dir string, n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.folder == nil {
		if o.folder, err = stack.NewFolder("audit", false); err == nil {
			err = os.Chmod(o.folder.Path, 0o755) // Postgres runs as another user
		}
		if err != nil {
			return "", 0, fmt.Errorf("make a folder for APIs of our own: %w", err)
		}
	}
	o.n++
	dir = filepath.Join(o.folder.Path, fmt.Sprint(o.n))
	return dir, o.n, os.Mkdir(dir, 0o755)
}

// source gives each trial an address of its own in 127.64.0.0/12, apart from
// those of the audited stack.
func source(n uint64) netip.Addr {
	v := uint32(n%(1<<20-2)) + 1
	return netip.AddrFrom4([4]byte{127, byte(64 + v>>16), byte(v >> 8), byte(v)})
}

// accounts are the users that seeding makes, as the audit knows them.
func accounts(made []stack.Account, password string) []audit.Account {
	out := make([]audit.Account, 0, len(made)+1)
	for _, a := range made {
		out = append(out, audit.Account{Email: a.Email, Password: a.Password})
	}
	return append(out, audit.Account{Email: Admin, Password: password, Role: "admin"})
}
