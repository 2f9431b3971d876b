package limit

import (
	"context"
	"time"
)

// Lock is one lock in force: which policy shut out which key, until when.
type Lock struct {
	Policy string
	Key    string
	Until  time.Time
}

// Locks keeps locks where no restart of the limiter's own store can lose them:
// a table with one row per (policy, key).
type Locks interface {
	// Save inserts the lock or replaces the one of the same policy and key; an
	// Until that is past lifts it.
	Save(ctx context.Context, l Lock) error
	// Live returns the locks whose Until is still to come.
	Live(ctx context.Context) ([]Lock, error)
}
