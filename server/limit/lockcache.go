package limit

import (
	"context"
	"time"
)

// A lock that Redis has told of is known here for a moment: an address that
// hammers on its lock costs no trip, or the lock's own answer would be the way to
// stop the service (LK28). An admin may lift it on another replica, so nobody is
// answered by what is older than trustFor; from askAgain on one request asks for
// all, so that an attack does not notice.
const (
	askAgain = 500 * time.Millisecond
	trustFor = time.Second
)

// cachedLock is when a lock was last told of.
type cachedLock struct {
	confirmed time.Duration // 0 = never: the lock is from here, or from the database
	asking    bool          // a request has gone to ask again
}

// lockCache answers a request at an address that is surely locked, without asking
// anybody; the policy's lock may hold all the same where it says no.
type lockCache interface {
	KnownLock(p Policy, key string) (Decision, bool)
}

// KnownLock is the lock of (p, key): in one process what is here is all there is.
func (m *Memory) KnownLock(p Policy, key string) (d Decision, ok bool) {
	m.look(p, key, func(r *record, now time.Duration) {
		if ok = r.lock > now; ok {
			d = held(Locked, r.lock-now)
		}
	})
	return d, ok
}

// CacheLock puts a lock in force that Redis has told of, with rest to go. The end
// does not move by what the way of the answer took, at most slack: Retry-After
// never rises.
func (m *Memory) CacheLock(p Policy, key string, rest, slack time.Duration) {
	m.with(p, key, func(r *record, now time.Duration) {
		if end := now + rest; end > r.lock+slack {
			r.lock = end
		}
		r.entries, r.cachedLock = nil, cachedLock{confirmed: now}
	})
}

// CachedLock is the lock of (p, key) if it was confirmed a moment ago and lasts longer
// than slack: its last moments are Redis's to time, whose clock is exact.
func (m *Memory) CachedLock(p Policy, key string, slack time.Duration) (d Decision, ok bool) {
	m.look(p, key, func(r *record, now time.Duration) {
		age := now - r.confirmed
		switch {
		case r.confirmed == 0 || r.lock <= now+slack || age >= trustFor:
		case age >= askAgain && !r.asking:
			r.asking = true
		default:
			d, ok = held(Locked, r.lock-now), true
		}
	})
	return d, ok
}

// KnownLock is the lock of (p, key) if Redis told of it a moment ago, or while
// this process decides alone.
func (f *Fallback) KnownLock(p Policy, key string) (Decision, bool) {
	if f.degraded() {
		return f.memory.KnownLock(p, key)
	}
	return f.memory.CachedLock(p, key, f.redis.timeout)
}

// begin asks Redis, and notes what it tells of a lock.
func (f *Fallback) begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	d, err := f.redis.Begin(ctx, p, key, id)
	switch d.Verdict {
	case Allowed:
		d = f.stricter(ctx, p, key, id, d)
	case Locked, LockedNow:
		f.memory.CacheLock(p, key, d.Retry, f.redis.timeout)
	}
	return d, err
}
