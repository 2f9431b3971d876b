package limit

import (
	"context"
	"sync/atomic"
	"time"

	"vitals/server/web"
)

// Attempt is one credential check that the gate let through. Exactly one of
// Fail, Pass and Release takes effect, the first; so `defer a.Release(ctx)`
// after Enter is right. They finish even if the client is gone: hanging up is no
// refund.
type Attempt struct {
	gate    *Gate // nil when the limiter is off
	policy  Policy
	key     string
	id      string
	settled atomic.Bool
}

// Enter reserves a slot for one credential check under a Failures policy, by the
// client's address, before anything costly happens. It waits for a slot that
// another check occupies, at most SlotWait. The error is a *web.Problem: 429
// "locked_out", 429 "too_many_concurrent_attempts", or 503. The headers are set
// on web.Header(ctx).
func (g *Gate) Enter(ctx context.Context, policy string) (*Attempt, error) {
	if g.options.Off {
		return &Attempt{}, nil
	}
	p, err := g.policy(policy)
	if err != nil {
		return nil, err
	}
	a := &Attempt{gate: g, policy: p, key: g.ClientKey(ctx), id: newID()}
	d, err := g.begin(ctx, a)
	switch {
	case err != nil:
		return nil, unavailable(err)
	case d.Verdict != Allowed:
		return nil, g.refuse(ctx, web.Header(ctx), p, d)
	}
	g.metrics.decided(p, d)
	setHeaders(web.Header(ctx), p, d, time.Now(), g.options.IETF)
	return a, nil
}

// Known refuses, as Enter would, a client whose lock is known here without asking
// anybody; nil leaves the decision to Enter. It costs next to nothing, so it may
// come before all that an attack would else make us do.
func (g *Gate) Known(ctx context.Context, policy string) error {
	if g.options.Off {
		return nil
	}
	p, err := g.policy(policy)
	if err != nil {
		return err
	}
	if d, locked := g.locks.KnownLock(p, g.ClientKey(ctx)); locked {
		return g.refuse(ctx, web.Header(ctx), p, d)
	}
	return nil
}

// Fail records a wrong credential. user is whom the client claimed to be,
// existing or not; only its HMAC is kept.
func (a *Attempt) Fail(ctx context.Context, user string) { a.settle(ctx, Failed, user) }

// Pass frees the slot and forgets the failures of this user from this address;
// those of others stay (NIST SP 800-63B 5.2.2).
func (a *Attempt) Pass(ctx context.Context, user string) { a.settle(ctx, Passed, user) }

// Release frees the slot and counts nothing: our own failure, or a password that
// was right while the second factor is still to come.
func (a *Attempt) Release(ctx context.Context) { a.settle(ctx, Released, "") }

func (a *Attempt) settle(ctx context.Context, o Outcome, user string) {
	if a.gate == nil || !a.settled.CompareAndSwap(false, true) {
		return
	}
	g := a.gate
	d, err := g.limiter.Commit(context.WithoutCancel(ctx), a.policy, a.key, a.id, o, g.pseudonym(user))
	g.queues.freed(recordKey{a.policy.Name, a.key})
	if err != nil { // the slot stays taken until its lease ends: closed, not open
		g.log.ErrorContext(ctx, "a credential check was not recorded", "policy", a.policy.Name, "error", err)
		return
	}
	if o == Released { // nothing has changed since Enter, unless a refusal spoke
		return
	}
	setHeaders(web.Header(ctx), a.policy, d, time.Now(), g.options.IETF)
}

// Forgive forgets the failures of user from the client's address under a policy
// whose attempt was released earlier: the second factor has now passed.
func (g *Gate) Forgive(ctx context.Context, policy, user string) {
	if g.options.Off {
		return
	}
	p, err := g.policy(policy)
	if err == nil {
		_, err = g.limiter.Commit(context.WithoutCancel(ctx), p, g.ClientKey(ctx), newID(), Passed, g.pseudonym(user))
	}
	if err != nil {
		g.log.WarnContext(ctx, "earlier failures stay counted", "policy", policy, "error", err)
	}
}
