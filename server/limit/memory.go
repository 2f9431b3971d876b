package limit

import (
	"container/list"
	"context"
	"hash/maphash"
	"sync"
	"time"
)

const (
	shardCount  = 64
	memoryBytes = 64 << 20 // default bound
	sweep       = 2        // idle records looked for at each call
)

// Memory is the Limiter of one process. It holds at most about the bytes it was
// given: idle records go first, then those unused for longest, locks last. Safe
// for concurrent use; it has no goroutine.
type Memory struct {
	start  time.Time
	seed   maphash.Seed
	lease  time.Duration
	budget int // bytes per shard
	shards [shardCount]shard
}

type shard struct {
	mu      sync.Mutex
	records map[recordKey]*list.Element // of *storedRecord
	recent  list.List                   // most recently used in front
	bytes   int
}

type recordKey struct{ policy, key string }

// storedRecord is a record with what the shard needs to find, expire and evict it.
type storedRecord struct {
	recordKey
	rule   Policy // as of the last call
	record record
}

// NewMemory makes an empty limiter. lease is how long a slot survives a check
// that never commits: longer than any check takes, or more than Limit are
// judged. bytes bounds its memory; 0 is 64 MiB.
func NewMemory(lease time.Duration, bytes int) *Memory {
	if bytes <= 0 {
		bytes = memoryBytes
	}
	m := &Memory{start: time.Now(), seed: maphash.MakeSeed(), lease: lease, budget: bytes / shardCount}
	for i := range m.shards {
		m.shards[i].records = map[recordKey]*list.Element{}
	}
	return m
}

// Take is Limiter.Take; it never fails.
func (m *Memory) Take(_ context.Context, p Policy, key, id string) (d Decision, _ error) {
	m.with(p, key, func(r *record, now time.Duration) { d = r.take(p, now, m.hash(id)) })
	return d, nil
}

// Begin is Limiter.Begin; it never fails.
func (m *Memory) Begin(_ context.Context, p Policy, key, id string) (d Decision, _ error) {
	m.with(p, key, func(r *record, now time.Duration) { d = r.begin(p, now, m.lease, m.hash(id)) })
	return d, nil
}

// Commit is Limiter.Commit; it never fails.
func (m *Memory) Commit(_ context.Context, p Policy, key, id string, o Outcome, user string) (d Decision, _ error) {
	m.with(p, key, func(r *record, now time.Duration) { d = r.commit(p, now, m.hash(id), o, m.hash(user)) })
	return d, nil
}

// Lift is Limiter.Lift; it never fails.
func (m *Memory) Lift(_ context.Context, p Policy, key string) (was bool, _ error) {
	m.with(p, key, func(r *record, _ time.Duration) { was, r.lock = r.lock > 0, 0 })
	return was, nil
}

// Hold puts a lock in force for rest, unless a later one is: locks that another
// process or an earlier one started. As when one starts here, the log is emptied.
func (m *Memory) Hold(p Policy, key string, rest time.Duration) {
	m.with(p, key, func(r *record, now time.Duration) {
		r.lock, r.entries = max(r.lock, now+rest), nil
	})
}

// Held lists the locks in force; the throttle of accounts has none.
func (m *Memory) Held() []Lock {
	var locks []Lock
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.Lock()
		now := time.Since(m.start)
		for _, e := range sh.records {
			if t := e.Value.(*storedRecord); t.record.lock > now && t.policy != accountPolicy {
				locks = append(locks, Lock{Policy: t.policy, Key: t.key, Until: m.start.Add(t.record.lock)})
			}
		}
		sh.mu.Unlock()
	}
	return locks
}

// Size is how many records are kept and about how many bytes they take.
func (m *Memory) Size() (records, bytes int) {
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.Lock()
		records, bytes = records+len(sh.records), bytes+sh.bytes
		sh.mu.Unlock()
	}
	return records, bytes
}

func (m *Memory) shard(at recordKey) *shard {
	return &m.shards[maphash.Comparable(m.seed, at)%shardCount]
}

func (m *Memory) hash(s string) uint64 { return maphash.String(m.seed, s) }

// with runs do on the record of (p, key), alone: reading and writing are one
// step, or two requests at once would both find the last slot free.
func (m *Memory) with(p Policy, key string, do func(r *record, now time.Duration)) {
	at := recordKey{p.Name, key}
	sh := m.shard(at)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := time.Since(m.start)

	e, known := sh.records[at]
	if known {
		sh.recent.MoveToFront(e)
	} else {
		e = sh.recent.PushFront(&storedRecord{recordKey: at})
		sh.records[at] = e
		sh.bytes += recordBytes
	}
	t := e.Value.(*storedRecord)
	before := t.record.bytes()
	t.rule = p
	t.record.expire(p, now)
	do(&t.record, now)
	sh.bytes += t.record.bytes() - before
	if t.record.idle() {
		sh.drop(e)
	}
	sh.shrink(now, m.budget)
}

// look is with for a record that is only looked at, if there is one.
func (m *Memory) look(p Policy, key string, do func(r *record, now time.Duration)) {
	at := recordKey{p.Name, key}
	sh := m.shard(at)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if e, known := sh.records[at]; known {
		sh.recent.MoveToFront(e)
		do(&e.Value.(*storedRecord).record, time.Since(m.start))
	}
}

// shrink forgets idle records from the old end, a few at each call, and makes
// room when the shard is over its budget: the longest unused first, a lock only
// when all around it are locks.
func (sh *shard) shrink(now time.Duration, budget int) {
	for range sweep {
		e := sh.recent.Back()
		if e == nil {
			return
		}
		t := e.Value.(*storedRecord)
		before := t.record.bytes()
		t.record.expire(t.rule, now)
		sh.bytes += t.record.bytes() - before
		if !t.record.idle() {
			break
		}
		sh.drop(e)
	}
	for sh.bytes > budget && sh.recent.Len() > 1 {
		victim := sh.recent.Back()
		for e, n := victim, 0; e != sh.recent.Front() && n < 16; e, n = e.Prev(), n+1 {
			if e.Value.(*storedRecord).record.lock == 0 {
				victim = e
				break
			}
		}
		sh.drop(victim)
	}
}

func (sh *shard) drop(e *list.Element) {
	t := sh.recent.Remove(e).(*storedRecord)
	delete(sh.records, t.recordKey)
	sh.bytes -= t.record.bytes()
}
