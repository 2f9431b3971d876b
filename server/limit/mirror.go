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

// unsavedMax bounds what waits for a database that does not answer.
const unsavedMax = 1 << 16

// mirror copies locks, as they start and end, to where no restart can lose them.
// The copy is written by Run, not by the request: an attack from many addresses
// must not make every login wait for the database.
type mirror struct {
	store Locks
	log   *slog.Logger
	wake  chan struct{} // something is unsaved

	mu      sync.Mutex
	unsaved map[place]Lock
}

func newMirror(store Locks, log *slog.Logger) *mirror {
	return &mirror{store: store, log: log, wake: make(chan struct{}, 1), unsaved: map[place]Lock{}}
}

// note has a lock saved soon; one that is past is a lock lifted.
func (m *mirror) note(l Lock) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := place{l.Policy, l.Key}
	if _, known := m.unsaved[at]; !known && len(m.unsaved) >= unsavedMax {
		m.log.Warn("a lock is not saved: too many wait for the database", "policy", l.Policy)
		return
	}
	m.unsaved[at] = l
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// flush saves what is unsaved; what it cannot save stays.
func (m *mirror) flush(ctx context.Context) error {
	for _, l := range m.pending() {
		if err := m.store.Save(ctx, l); err != nil {
			return fmt.Errorf("save a lock of %s: %w", l.Policy, err)
		}
		m.mu.Lock()
		if at := (place{l.Policy, l.Key}); m.unsaved[at] == l {
			delete(m.unsaved, at)
		}
		m.mu.Unlock()
	}
	return nil
}

// live lists the locks in force, the unsaved ones included, the lifted ones not.
func (m *mirror) live(ctx context.Context) ([]Lock, error) {
	saved, err := m.store.Live(ctx)
	if err != nil {
		return nil, fmt.Errorf("list saved locks: %w", err)
	}
	latest := map[place]Lock{}
	for _, l := range append(saved, m.pending()...) {
		latest[place{l.Policy, l.Key}] = l
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

// mirrored is an engine whose locks are noted.
type mirrored struct {
	engine
	mirror *mirror
}

func (m mirrored) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	d, err := m.engine.Begin(ctx, p, key, id)
	if err == nil && d.Verdict == LockedNow {
		m.mirror.note(Lock{Policy: p.Name, Key: key, Until: time.Now().Add(d.Retry)})
	}
	return d, err
}

func (m mirrored) Lift(ctx context.Context, p Policy, key string) (bool, error) {
	was, err := m.engine.Lift(ctx, p, key)
	if err == nil {
		m.mirror.note(Lock{Policy: p.Name, Key: key, Until: time.Now()})
	}
	return was, err
}
