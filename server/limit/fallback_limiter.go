package limit

import (
	"context"
	"time"
)

// Take is Limiter.Take.
func (f *Fallback) Take(ctx context.Context, p Policy, key, id string) (Decision, error) {
	return f.ask(p,
		func() (Decision, error) {
			d, err := f.redis.Take(ctx, p, key, id)
			if d.Verdict == Allowed && guards(p) {
				_, _ = f.memory.Take(ctx, p, key, id)
			}
			return d, err
		},
		func(p Policy) (Decision, error) { return f.memory.Take(ctx, p, key, id) })
}

// Begin is Limiter.Begin. A call whose answer was lost may have reserved a slot in
// Redis: unless the check goes on, that is given back, or five such would make an
// address busy until their leases end. Each Begin needs an id of its own for that.
func (f *Fallback) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	lost := false
	d, err := f.ask(p,
		func() (Decision, error) {
			d, err := f.begin(ctx, p, key, id)
			lost = err != nil
			return d, err
		},
		func(local Policy) (Decision, error) {
			if f.replicas > 1 && !f.degraded() {
				if d, locked := f.memory.KnownLock(p, key); locked {
					return d, nil
				}
				return Decision{Verdict: Busy, Remaining: 0, Retry: time.Second}, nil
			}
			f.recall(ctx)
			d, err := f.memory.Begin(ctx, local, key, id)
			if d.Verdict == LockedNow {
				f.enqueueLock(Lock{Policy: p.Name, Key: key, Until: time.Now().Add(d.Retry)})
			}
			return d, err
		})
	if lost && (err != nil || d.Verdict != Allowed) {
		f.enqueueOutcome(settlement{p, key, id, "", Released})
	}
	return d, err
}

// recall reads the saved locks before the first verdict of an outage: other
// replicas may have started some that this process has not seen. Requests
// wait meanwhile. Without a database it goes on; Run tries again each second.
func (f *Fallback) recall(ctx context.Context) {
	outage := f.outage()
	if outage.IsZero() || f.remember == nil {
		return
	}
	f.recalling.Lock()
	defer f.recalling.Unlock()
	if f.recalled.Equal(outage) {
		return
	}
	f.recalled = outage
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveFor)
	defer cancel()
	if err := f.remember(ctx); err != nil {
		f.log.WarnContext(ctx, "locks of other replicas are not known here", "error", err)
	}
}

// stricter holds what Redis allowed against what this process knows: failures
// that it judged while Redis did not answer are not in Redis's count, and each
// passing trouble would else be worth a handful of guesses. What it knows is a
// part of what all replicas know, so it never refuses what a Redis that has
// missed nothing allows. On locks Redis decides, but for those that are still to be written to it:
// one that an admin has lifted must not live on here.
func (f *Fallback) stricter(ctx context.Context, p Policy, key, id string, d Decision) Decision {
	if !f.hasLock(recordKey{p.Name, key}) {
		_, _ = f.memory.Lift(ctx, p, key)
	}
	here, _ := f.memory.Begin(ctx, p, key, id)
	switch here.Verdict {
	case Allowed:
		d.Remaining = min(d.Remaining, here.Remaining)
		return d
	case LockedNow:
		f.enqueueLock(Lock{Policy: p.Name, Key: key, Until: time.Now().Add(here.Retry)})
	}
	_, err := f.redis.Commit(ctx, p, key, id, Released, "")
	if f.called(err); err != nil {
		f.enqueueOutcome(settlement{p, key, id, "", Released})
	}
	return here
}

// Commit is Limiter.Commit.
func (f *Fallback) Commit(ctx context.Context, p Policy, key, id string, o Outcome, user string) (Decision, error) {
	return f.ask(p,
		func() (Decision, error) {
			d, err := f.redis.Commit(ctx, p, key, id, o, user)
			if err == nil && guards(p) {
				_, _ = f.memory.Commit(ctx, p, key, id, o, user)
			}
			return d, err
		},
		func(local Policy) (Decision, error) {
			if guards(p) { // a slot that is released too: Redis would keep it until its lease ends
				f.enqueueOutcome(settlement{p, key, id, user, o})
			}
			return f.memory.Commit(ctx, local, key, id, o, user)
		})
}

// Lift is Limiter.Lift. It fails if Redis cannot be told: the lock would return.
func (f *Fallback) Lift(ctx context.Context, p Policy, key string) (bool, error) {
	here, _ := f.memory.Lift(ctx, p, key)
	f.lockWritten(recordKey{p.Name, key})
	there, err := f.redis.Lift(ctx, p, key)
	if err == nil { // a request that asked just before may have confirmed it meanwhile
		_, _ = f.memory.Lift(ctx, p, key)
	}
	return here || there, err
}

// Admit is Accounts.Admit. As with Begin, an answer that was lost may have reserved
// a slot in Redis, and what Redis allowed is held against what this process knows: a
// crowd that makes Redis slow would else be worth as many guesses again. Beside other
// processes Redis decides, for one of them may have reset the account.
func (f *Fallback) Admit(ctx context.Context, t Throttle, account, id string) (wait time.Duration, _ error) {
	lost := false
	_, err := f.ask(t.policy(),
		func() (_ Decision, err error) {
			wait, err = f.redis.Admit(ctx, t, account, id)
			lost = err != nil
			if err == nil && wait == 0 {
				if here := f.memory.alsoAdmits(t, account, id, f.redis.timeout); here > 0 && f.replicas == 1 {
					wait = here
					f.settleLater(t, account, "", id, Released)
				}
			}
			return Decision{}, err
		},
		func(p Policy) (_ Decision, err error) {
			if f.replicas > 1 && !f.degraded() {
				wait = busyWait // nobody here knows what the others have judged
				return Decision{}, nil
			}
			wait, err = f.memory.Admit(ctx, Throttle{p.Limit, p.Window}, account, id)
			return Decision{}, err
		})
	if lost && (err != nil || wait > 0) {
		f.settleLater(t, account, "", id, Released)
	}
	return wait, err
}

// Judge is Accounts.Judge.
func (f *Fallback) Judge(ctx context.Context, t Throttle, account, from, id string, o Outcome) error {
	_, err := f.ask(t.policy(),
		func() (Decision, error) {
			err := f.redis.Judge(ctx, t, account, from, id, o)
			if err == nil {
				_ = f.memory.Judge(ctx, t, account, from, id, o)
			}
			return Decision{}, err
		},
		func(p Policy) (Decision, error) {
			f.settleLater(t, account, from, id, o)
			return Decision{}, f.memory.Judge(ctx, Throttle{p.Limit, p.Window}, account, from, id, o)
		})
	return err
}

// settleLater leaves to keep how a check at an account ended.
func (f *Fallback) settleLater(t Throttle, account, from, id string, o Outcome) {
	f.enqueueOutcome(settlement{t.policy(), account, id, from, o})
}
