package measure

import "sync/atomic"

// ring is how many samples wait in a shard at most. It bounds the shard's
// memory (64 × 104 bytes) and spreads the cost of the recorder's lock.
const ring = 64

// Shard is one goroutine's way into a recorder. Its samples wait in a ring that
// has one writer (the owner) and one reader (whoever holds the recorder's
// lock), so a record takes neither lock nor allocation: only a full ring makes
// the owner empty it itself, once in 64 samples.
type Shard struct {
	r    *Recorder
	head atomic.Uint64 // samples written; moved by the owner
	tail atomic.Uint64 // samples read; moved under the recorder's lock
	buf  [ring]Sample
}

// Record hands a sample over; the recorder keeps a copy. Step must be an index
// into the recorder's steps.
func (s *Shard) Record(sample *Sample) {
	h := s.head.Load()
	if h-s.tail.Load() == ring {
		s.r.mu.Lock()
		s.r.drain(s)
		s.r.mu.Unlock()
	}
	s.buf[h%ring] = *sample
	s.head.Store(h + 1)
}

// Close hands over what still waits and takes the shard out of its recorder.
// It must not be used afterwards.
func (s *Shard) Close() {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.drain(s)
	delete(s.r.shards, s)
}
