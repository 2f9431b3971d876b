package limit

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// queueMax bounds what waits for a store that does not answer.
const queueMax = 1 << 16

// writeBehind is the queue of what was decided here and Redis does not know of:
// locks that started, checks that were settled. It is written before Redis is
// trusted again. What finds it full is dropped, counted, and logged once until it
// has been written.
type writeBehind struct {
	dropped func(kind string) // counts
	warn    *slog.Logger

	mu       sync.Mutex
	locks    map[recordKey]Lock
	outcomes []settlement // oldest first
	full     bool         // and it was said
}

// The kinds of what is queued, as the metric spells them.
const (
	kindLock    = "lock"    // for Redis
	kindOutcome = "outcome" // for Redis
	kindSaved   = "saved"   // a lock for the database
)

// settlement is a check that was settled here. Its id makes it harmless to write it
// twice. Of a check at an account, key is the account and user where it came from.
type settlement struct {
	policy        Policy
	key, id, user string
	outcome       Outcome
}

// hasLock reports whether a lock is still to be written.
func (w *writeBehind) hasLock(at recordKey) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.locks[at]
	return ok
}

// enqueueLock adds a lock, or drops it: its record here holds as long as this
// process decides.
func (w *writeBehind) enqueueLock(l Lock) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.locks == nil {
		w.locks = map[recordKey]Lock{}
	}
	at := recordKey{l.Policy, l.Key}
	if _, known := w.locks[at]; !known && len(w.locks) >= queueMax {
		w.drop(kindLock)
		return
	}
	w.locks[at] = l
}

// enqueueOutcome adds a settlement, and drops the oldest, whose window ends first,
// when there are too many.
func (w *writeBehind) enqueueOutcome(s settlement) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.outcomes) >= queueMax {
		w.outcomes = w.outcomes[1:]
		w.drop(kindOutcome)
	}
	w.outcomes = append(w.outcomes, s)
}

// drop counts what found the queue full; the caller holds the lock.
func (w *writeBehind) drop(kind string) {
	w.dropped(kind)
	if !w.full {
		w.full = true
		w.warn.Error("the queue of what redis does not know of is full: entries are dropped", "kind", kind, "limit", queueMax)
	}
}

// queued is what is to be written now.
func (w *writeBehind) queued() ([]Lock, []settlement) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.locks)), slices.Clone(w.outcomes)
}

// lockWritten takes a lock out: Redis was told, or an admin has lifted it.
func (w *writeBehind) lockWritten(at recordKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.locks, at)
}

// outcomeWritten takes the oldest settlement out.
func (w *writeBehind) outcomeWritten() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes = w.outcomes[1:]
}

// emptied is for a queue that was written whole.
func (w *writeBehind) emptied() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = false
}

// keep is what Run does now and then: it renews the sentinel, or finds that Redis is
// back; then it flushes the queue, and only when nothing is left is Redis asked again.
func (f *Fallback) keep(ctx context.Context) {
	if f.early() {
		return
	}
	if err := f.flush(ctx); err != nil {
		f.refused(err)
		return
	}
	f.recovered()
}

// flush writes the queue to Redis.
func (f *Fallback) flush(ctx context.Context) error {
	if err := f.redis.vouch(ctx); err != nil {
		return err
	}
	for {
		locks, outcomes := f.queued()
		if len(locks)+len(outcomes) == 0 {
			f.emptied()
			return nil
		}
		if err := f.redis.hold(ctx, locks); err != nil {
			return err
		}
		for _, l := range locks {
			f.lockWritten(recordKey{l.Policy, l.Key})
		}
		for _, s := range outcomes {
			if err := f.redis.settle(ctx, s); err != nil {
				return err
			}
			f.outcomeWritten()
		}
	}
}

// settle tells Redis how a check ended.
func (r *Redis) settle(ctx context.Context, s settlement) error {
	if s.policy.Name == accountPolicy {
		return r.Judge(ctx, Throttle{s.policy.Limit, s.policy.Window}, s.key, s.user, s.id, s.outcome)
	}
	_, err := r.Commit(ctx, s.policy, s.key, s.id, s.outcome, s.user)
	return err
}
