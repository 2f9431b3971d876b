package limit

import (
	"errors"
	"fmt"
	"time"
)

// Options is the configuration of a Gate and what stands behind it. The zero value of a switch is the strict side.
type Options struct {
	Off        bool          // RATE_LIMIT_ENABLED=false: everything is let through
	Quotas     Quotas        // the limits in force
	APIByIP    bool          // RATE_LIMIT_API_KEY=ip: signed-in users count by address too
	IPv6Prefix int           // bits of a v6 address that make a key; 0 = 64
	IETF       bool          // RateLimit and RateLimit-Policy beside X-RateLimit-*
	SlotWait   time.Duration // LOGIN_SLOT_WAIT: longest wait for checks in flight
	Lease      time.Duration // a slot outlives a check that never ends; 0 = 75 s, above every request timeout
	Throttle   Throttle      // failures per account, over all addresses
	Secret     []byte        // HMAC key of pseudonyms; the same on every replica
	Memory     int           // bytes the process may hold; 0 = 64 MiB
	Redis      RedisOptions  // URL "" = this process alone
	Replicas   int           // processes that share a limit when Redis is gone; 0 = 1
}

// defaultLease is above the largest request timeout (60 s), so that no check in
// flight loses its slot to another.
const defaultLease = 75 * time.Second

// withDefaults checks o and fills what is left to us.
func (o Options) withDefaults() (Options, error) {
	if o.IPv6Prefix == 0 {
		o.IPv6Prefix = 64
	}
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	o.Replicas = max(1, o.Replicas)
	var wrong []error
	for name, p := range Policies(o.Quotas) {
		if p.Limit < 1 || p.Window < time.Millisecond {
			wrong = append(wrong, fmt.Errorf("limit %s: %d per %s is no limit", name, p.Limit, p.Window))
		}
	}
	if o.IPv6Prefix < 1 || o.IPv6Prefix > 128 {
		wrong = append(wrong, fmt.Errorf("IPv6 prefix of %d bits", o.IPv6Prefix))
	}
	if len(o.Secret) == 0 {
		wrong = append(wrong, errors.New("no secret for the pseudonyms of accounts"))
	}
	return o, errors.Join(wrong...)
}
