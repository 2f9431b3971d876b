package limit

import (
	"context"
	"math"
	"time"

	"vitals/server/fault"
)

// broken is an engine with the fault that is on: its own in nothing, so that the
// fault is the same in Redis as in this process.
type broken struct{ engine }

// Take is Limiter.Take.
func (b broken) Take(ctx context.Context, p Policy, key, id string) (Decision, error) {
	if fault.Is(fault.GetThenIncr) {
		return b.readThenWrite(ctx, p, key, id, b.engine.Take)
	}
	d, err := b.engine.Take(ctx, wide(p), key, id)
	return narrow(p, d), err
}

// Begin is Limiter.Begin.
func (b broken) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	key = spelt(ctx, key)
	if fault.Is(fault.GetThenIncr) {
		return b.readThenWrite(ctx, p, key, id, b.engine.Begin)
	}
	d, err := b.engine.Begin(ctx, wide(p), key, id)
	switch {
	case err != nil:
	case fault.Is(fault.CountAfterHash) && d.Verdict == Allowed:
		_, err = b.engine.Commit(ctx, p, key, id, Released, "")
	case fault.Is(fault.LockExtended) && d.Verdict == Locked:
		d, err = held(Locked, p.Lock), b.relock(ctx, p, key)
	case fault.Is(fault.LockEvicted) && d.Verdict == Locked && d.Retry < p.Lock-evictAfter:
		_, err = b.engine.Lift(ctx, p, key)
	}
	return narrow(p, d), err
}

// Commit is Limiter.Commit.
func (b broken) Commit(ctx context.Context, p Policy, key, id string, o Outcome, user string) (Decision, error) {
	if p.Failures {
		key = spelt(ctx, key)
	}
	d, err := b.engine.Commit(ctx, wide(p), key, id, o, user)
	if fault.Is(fault.SuccessClearsAddress) && o == Passed && err == nil {
		d, err = used{}.open(p), b.clear(ctx, p, key)
	}
	return narrow(p, d), err
}

// KnownLock knows no lock beforehand: every attempt comes by the fault.
func (broken) KnownLock(Policy, string) (Decision, bool) { return Decision{}, false }

// How long a store is away between GET and INCR, and how old a lock gets that is
// evicted.
const (
	roundTrip  = 5 * time.Millisecond
	evictAfter = 2 * time.Second
)

// readThenWrite looks, and counts a round trip later without looking again.
func (b broken) readThenWrite(ctx context.Context, p Policy, key, id string,
	ask func(context.Context, Policy, string, string) (Decision, error),
) (Decision, error) {
	d, err := ask(ctx, p, key, id)
	if err != nil || d.Verdict != Allowed {
		return d, err
	}
	if _, err := b.engine.Commit(ctx, p, key, id, Released, ""); err != nil {
		return d, err
	}
	time.Sleep(roundTrip)
	if p.Failures || !p.exact() {
		p.Limit = math.MaxInt32
	} else {
		p.Limit = logMax // else it would not be a log any more
	}
	_, err = ask(ctx, p, key, id)
	return d, err
}

// wide is a policy with a limit that is a tenth wider; narrow says of a decision
// under it what the limit as published would.
func wide(p Policy) Policy {
	if fault.Is(fault.LimitWidened) {
		p.Limit = (11*p.Limit + 9) / 10
	}
	return p
}

func narrow(p Policy, d Decision) Decision {
	d.Remaining = max(0, d.Remaining-(wide(p).Limit-p.Limit))
	return d
}

// spelt is a key that differs with the spelling of the request's path.
func spelt(ctx context.Context, key string) string {
	if fault.Is(fault.RawPath) {
		key += "/" + fault.Path(ctx)
	}
	return key
}

func (b broken) relock(ctx context.Context, p Policy, key string) error {
	memory, shared := b.stores()
	memory.Hold(p, key, p.Lock)
	if shared == nil {
		return nil
	}
	return shared.client.PExpire(ctx, redisKey(key, p.Name, "l"), p.Lock).Err()
}

func (b broken) clear(ctx context.Context, p Policy, key string) error {
	memory, shared := b.stores()
	memory.with(p, key, func(r *record, _ time.Duration) { r.entries = nil })
	if shared == nil {
		return nil
	}
	return shared.client.Del(ctx, redisKey(key, p.Name, "f")).Err()
}

func (b broken) stores() (*Memory, *Redis) {
	if f, ok := b.engine.(*Fallback); ok {
		return f.memory, f.redis
	}
	return b.engine.(*Memory), nil
}
