package limit

import (
	"context"
	"fmt"
)

// Evicts is the error about a Redis that may throw locks away when its memory is
// full: allkeys-* and volatile-* both did so to 10 of 10 locks.
type Evicts struct {
	Policy string // the server's maxmemory-policy
}

// Error names the setting and its cure.
func (e Evicts) Error() string {
	return fmt.Sprintf("redis has maxmemory-policy %s and may evict locks: set it to noeviction", e.Policy)
}

// checkEviction returns Evicts if the server says so, and another error if it
// does not tell, as managed ones do.
func (r *Redis) checkEviction(ctx context.Context) error {
	var conf map[string]string
	err := r.call(ctx, "config", func(ctx context.Context) (err error) {
		conf, err = r.client.ConfigGet(ctx, "maxmemory-policy").Result()
		return err
	})
	if err != nil {
		return err
	}
	switch policy := conf["maxmemory-policy"]; policy {
	case "noeviction":
		return nil
	case "":
		return fmt.Errorf("redis does not tell its maxmemory-policy")
	default:
		return Evicts{policy}
	}
}
