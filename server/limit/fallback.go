package limit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"vitals/server/fault"
)

// Failure says what a Redis that does not answer means.
type Failure string

// The three. Whatever guards a credential, every policy but api, is never open
// (ASVS 16.5.3).
const (
	FailLocal  Failure = "local"  // each process counts for itself, its share of the limit
	FailClosed Failure = "closed" // 503, but for api, which is as with FailLocal
	FailOpen   Failure = "open"   // api lets everything through, the rest is as with FailLocal
)

// errDegraded stands for a call that was not made.
var errDegraded = errors.New("redis did not answer lately; not asked")

// Fallback is the limiter on Redis, and this process in its stead when it does
// not answer. A single call that fails is answered here; five in a row, and Redis
// is left alone until keep finds it well.
//
// Memory follows what this process asks of Redis about credentials: the locks it
// saw, its checks in flight and their failures. So an attacker who has used up
// his attempts gets no more because a call timed out. Where other processes share
// the limit, one cannot know what they have judged: there a credential check waits
// until Redis answers or is given up. Locks started and checks settled here are
// owed to Redis, and written there as soon as it answers.
type Fallback struct {
	breaker
	debts
	redis    *Redis
	memory   *Memory
	failure  Failure
	replicas int
	turns    chan struct{} // of calls to Redis under way

	remember  func(context.Context) error // brings saved locks into memory; nil where none are saved
	recalling sync.Mutex
	recalled  time.Time // the outage whose first verdict has been given
}

func newFallback(r *Redis, m *Memory, o Options, ms *metrics, log *slog.Logger) *Fallback {
	if o.Redis.Failure == "" {
		o.Redis.Failure = FailLocal
	}
	return &Fallback{
		breaker: breaker{mode: o.Redis.Failure, metrics: ms, log: log},
		redis:   r, memory: m, failure: o.Redis.Failure, replicas: o.Replicas,
		turns: make(chan struct{}, redisCalls),
	}
}

// guards reports whether p protects a credential: every policy but api.
func guards(p Policy) bool { return p.Name != API }

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
				if d, locked := f.memory.Standing(p, key); locked {
					return d, nil
				}
				return Decision{Verdict: Busy, Remaining: 0, Retry: time.Second}, nil
			}
			f.recall(ctx)
			d, err := f.memory.Begin(ctx, local, key, id)
			if d.Verdict == LockedNow {
				f.owe(Lock{Policy: p.Name, Key: key, Until: time.Now().Add(d.Retry)})
			}
			return d, err
		})
	if lost && (err != nil || d.Verdict != Allowed) {
		f.say(settlement{p, key, id, "", Released})
	}
	return d, err
}

// recall reads the saved locks before the first verdict of an outage: other
// replicas may have started some that this process has not seen. Who comes
// meanwhile waits. Without a database it goes on; Run tries again each second.
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
// missed nothing allows. On locks Redis decides, but for those still owed to it:
// one that an admin has lifted must not live on here.
func (f *Fallback) stricter(ctx context.Context, p Policy, key, id string, d Decision) Decision {
	if !f.owes(place{p.Name, key}) {
		_, _ = f.memory.Lift(ctx, p, key)
	}
	here, _ := f.memory.Begin(ctx, p, key, id)
	switch here.Verdict {
	case Allowed:
		d.Remaining = min(d.Remaining, here.Remaining)
		return d
	case LockedNow:
		f.owe(Lock{Policy: p.Name, Key: key, Until: time.Now().Add(here.Retry)})
	}
	_, err := f.redis.Commit(ctx, p, key, id, Released, "")
	if f.called(err); err != nil {
		f.say(settlement{p, key, id, "", Released})
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
				f.say(settlement{p, key, id, user, o})
			}
			return f.memory.Commit(ctx, local, key, id, o, user)
		})
}

// Lift is Limiter.Lift. It fails if Redis cannot be told: the lock would return.
func (f *Fallback) Lift(ctx context.Context, p Policy, key string) (bool, error) {
	here, _ := f.memory.Lift(ctx, p, key)
	f.forget(place{p.Name, key})
	there, err := f.redis.Lift(ctx, p, key)
	if err == nil { // a request that asked just before may have confirmed it meanwhile
		_, _ = f.memory.Lift(ctx, p, key)
	}
	return here || there, err
}

// Admit is Accounts.Admit.
func (f *Fallback) Admit(ctx context.Context, t Throttle, account, id string) (wait time.Duration, _ error) {
	_, err := f.ask(t.policy(),
		func() (_ Decision, err error) { wait, err = f.redis.Admit(ctx, t, account, id); return },
		func(p Policy) (_ Decision, err error) {
			wait, err = f.memory.Admit(ctx, Throttle{p.Limit, p.Window}, account, id)
			return
		})
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
			return Decision{}, f.memory.Judge(ctx, Throttle{p.Limit, p.Window}, account, from, id, o)
		})
	return err
}

// ask asks Redis, and this process if Redis does not answer and the mode and the
// policy let it. For a call that failed, this process stands in with the whole
// limit; while degraded, with its share of it, for every replica does the same.
func (f *Fallback) ask(p Policy, shared func() (Decision, error), local func(Policy) (Decision, error)) (Decision, error) {
	d, err := f.share(shared)
	if err == nil {
		return d, nil
	}
	if f.degraded() { // perhaps by this very call
		p.Limit = max(1, p.Limit/f.replicas)
	}
	switch {
	case f.failure == FailClosed && guards(p):
		return Decision{}, err
	case f.failure == FailOpen && !guards(p), fault.Is(fault.FailOpen):
		return Decision{Verdict: Allowed, Remaining: p.Limit}, nil
	}
	return local(p)
}

// share calls Redis, unless it was given up. A crowd takes turns before a call's
// time begins to count: some hundred at once, each waiting for the others' dials,
// would else be taken for a Redis that does not answer.
func (f *Fallback) share(call func() (Decision, error)) (Decision, error) {
	if f.degraded() {
		return Decision{}, errDegraded
	}
	f.turns <- struct{}{}
	defer func() { <-f.turns }()
	if f.degraded() { // by those who went before
		return Decision{}, errDegraded
	}
	d, err := call()
	f.called(err)
	return d, err
}

// keep is what Run does now and then: it renews the sentinel, or finds that Redis
// is back; then it pays what is owed, and only when nothing is left is Redis asked
// again.
func (f *Fallback) keep(ctx context.Context) {
	if f.early() {
		return
	}
	if err := f.pay(ctx); err != nil {
		f.refused(err)
		return
	}
	f.recovered()
}

func (f *Fallback) pay(ctx context.Context) error {
	if err := f.redis.vouch(ctx); err != nil {
		return err
	}
	for {
		owed, unsaid := f.due()
		if len(owed)+len(unsaid) == 0 {
			return nil
		}
		if err := f.redis.hold(ctx, owed); err != nil {
			return err
		}
		for _, l := range owed {
			f.forget(place{l.Policy, l.Key})
		}
		for _, s := range unsaid {
			if _, err := f.redis.Commit(ctx, s.policy, s.key, s.id, s.outcome, s.user); err != nil {
				return err
			}
			f.said()
		}
	}
}
