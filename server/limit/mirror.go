package limit

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// saveFor is how long the request that starts a lock waits for the database.
const saveFor = 500 * time.Millisecond

// mirror copies locks, as they start and end, to where no restart can lose them.
type mirror struct {
	store   Locks
	log     *slog.Logger
	dropped func(kind string) // counts

	mu      sync.Mutex
	unsaved map[recordKey]Lock
}

func newMirror(store Locks, log *slog.Logger, dropped func(kind string)) *mirror {
	return &mirror{store: store, log: log, dropped: dropped, unsaved: map[recordKey]Lock{}}
}

// save saves a lock, or its end if it is past, before its request is answered:
// a client that has seen the refusal may rely on it. What the database does not take in
// time is kept for flush.
func (m *mirror) save(ctx context.Context, l Lock) {
	at := recordKey{l.Policy, l.Key}
	m.mu.Lock()
	if _, known := m.unsaved[at]; known || len(m.unsaved) < queueMax {
		m.unsaved[at] = l
	} else {
		m.dropped(kindSaved) // put below is its only chance, and logs when it fails
	}
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveFor)
	defer cancel()
	if err := m.put(ctx, l); err != nil {
		m.log.WarnContext(ctx, "a lock is not saved yet", "policy", l.Policy, "error", err)
	}
}

// flush saves what is unsaved, up to the first failure.
func (m *mirror) flush(ctx context.Context) error {
	for _, l := range m.pending() {
		if err := m.put(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

func (m *mirror) put(ctx context.Context, l Lock) error {
	if err := m.store.Save(ctx, l); err != nil {
		return fmt.Errorf("save a lock of %s: %w", l.Policy, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := (recordKey{l.Policy, l.Key}); m.unsaved[at] == l {
		delete(m.unsaved, at)
	}
	return nil
}

// live lists the locks in force, the unsaved ones included, the lifted ones not.
func (m *mirror) live(ctx context.Context) ([]Lock, error) {
	saved, err := m.store.Live(ctx)
	if err != nil {
		return nil, fmt.Errorf("list saved locks: %w", err)
	}
	latest := map[recordKey]Lock{}
	for _, l := range append(saved, m.pending()...) {
		latest[recordKey{l.Policy, l.Key}] = l
	}
	now := time.Now()
	var locks []Lock
	for _, l := range latest {
		if l.Until.After(now) {
			locks = append(locks, l)
		}
	}
	return locks, nil
}

func (m *mirror) pending() []Lock {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.unsaved))
}

// mirrored is an engine whose locks are saved.
type mirrored struct {
	engine
	mirror *mirror
}

func (m mirrored) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	d, err := m.engine.Begin(ctx, p, key, id)
	if err == nil && d.Verdict == LockedNow {
		m.mirror.save(ctx, Lock{Policy: p.Name, Key: key, Until: time.Now().Add(d.Retry)})
	}
	return d, err
}

func (m mirrored) Lift(ctx context.Context, p Policy, key string) (bool, error) {
	was, err := m.engine.Lift(ctx, p, key)
	if err == nil {
		m.mirror.save(ctx, Lock{Policy: p.Name, Key: key, Until: time.Now()})
	}
	return was, err
}
