//go:build brokenlimit

package limit

import (
	"context"
	"sync"
	"time"
)

// finish puts a login counter before e that is broken on purpose: it reads, and
// later writes, as the commonest limiters do (traps 1 and 7). One guess after
// the other, it counts right; guesses side by side all read the same number.
func finish(e engine) engine { return &readThenWrite{engine: e, seen: map[string]history{}} }

type readThenWrite struct {
	engine
	mu   sync.Mutex // keeps the map whole, and nothing else
	seen map[string]history
}

type history struct {
	failures []time.Time
	locked   time.Time // end of the lock
}

func (b *readThenWrite) read(key string) history {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[key]
}

func (b *readThenWrite) write(key string, h history) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[key] = h
}

// within are the failures that still count.
func (h history) within(p Policy) used {
	var u used
	for _, at := range h.failures {
		if leaves := time.Until(at.Add(p.Window)); leaves > 0 {
			if u.entries++; u.entries == 1 {
				u.leaves = leaves
			}
		}
	}
	return u
}

func (b *readThenWrite) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	if p.Name != Login {
		return b.engine.Begin(ctx, p, key, id)
	}
	h := b.read(key)
	if rest := time.Until(h.locked); rest > 0 {
		return held(Locked, rest), nil
	}
	u := h.within(p)
	if u.entries >= p.Limit {
		b.write(key, history{locked: time.Now().Add(p.Lock)})
		return held(LockedNow, p.Lock), nil
	}
	return u.open(p), nil // and nothing is reserved
}

func (b *readThenWrite) Commit(ctx context.Context, p Policy, key, id string, o Outcome, user string) (Decision, error) {
	if p.Name != Login {
		return b.engine.Commit(ctx, p, key, id, o, user)
	}
	h := b.read(key)
	switch o {
	case Failed:
		h.failures = append(h.failures[:len(h.failures):len(h.failures)], time.Now())
	case Passed:
		h.failures = nil
	}
	b.write(key, h)
	return h.within(p).open(p), nil
}
