// Package password hashes passwords by argon2id, a bounded number at a time,
// and says which passwords may be chosen. It knows no user and no storage.
package password

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/fault"
	"vitals/server/web"
)

// ErrCapacity means that the queue for a hash is full, or the wait in it too
// long: answer 503 hash_capacity and let the client come back.
var ErrCapacity = errors.New("no capacity to hash a password")

// Cost is how expensive one hash is; the least allowed is OWASP's and ASVS 5.0
// appendix C's 19 MiB, 2, 1.
type Cost struct {
	MemoryKiB   uint32
	Time        uint32 // passes
	Parallelism uint8
}

func (c Cost) params() *argon2id.Params {
	return &argon2id.Params{
		Memory: c.MemoryKiB, Iterations: c.Time, Parallelism: c.Parallelism,
		SaltLength: 16, KeyLength: 32,
	}
}

// Limits bounds how many hashes run at once. 200 unbounded logins would take
// 3.8 GiB and finish later than in a queue.
type Limits struct {
	Concurrency int           // running
	Queue       int           // waiting; one more is ErrCapacity
	Wait        time.Duration // in the queue; longer is ErrCapacity
}

// Hasher makes and checks argon2id hashes in PHC string form.
type Hasher struct {
	params *argon2id.Params
	dummy  string
	queue  chan struct{} // running and waiting
	slots  chan struct{} // running
	freed  chan struct{} // slots that have come free: one sign-in may come for each
	wait   time.Duration

	seconds prometheus.Histogram
	waited  prometheus.Histogram
	depth   prometheus.Gauge
	shed    prometheus.Counter
}

// NewHasher makes the dummy hash that unknown users are checked against, at the
// cost in force, before the first request comes. It registers
// password_hash_seconds, _wait_seconds, _queue_depth and _shed_total with reg unless nil.
func NewHasher(c Cost, l Limits, reg prometheus.Registerer) (*Hasher, error) {
	if c.MemoryKiB == 0 || c.Time == 0 || c.Parallelism == 0 {
		return nil, errors.New("prepare password hash: memory, time and parallelism must be positive")
	}
	if l.Concurrency < 1 || l.Queue < 0 {
		return nil, errors.New("prepare password hash: concurrency must be positive and queue not negative")
	}
	dummy, err := argon2id.CreateHash(rand.Text(), c.params())
	if err != nil {
		return nil, fmt.Errorf("prepare password hash: %w", err)
	}
	h := &Hasher{
		params: c.params(), dummy: dummy, wait: l.Wait,
		queue: make(chan struct{}, l.Concurrency+l.Queue),
		slots: make(chan struct{}, l.Concurrency),
		freed: make(chan struct{}, l.Concurrency+l.Queue),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "password_hash_seconds", Help: "Time to compute one argon2id hash, without the wait for a slot.",
			Buckets: []float64{.01, .02, .03, .05, .075, .1, .15, .25, .5, 1, 2.5},
		}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "password_hash_wait_seconds", Help: "Wait for a slot in which to compute a hash, waits that ended without one included.",
			Buckets: []float64{.001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
		depth: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "password_hash_queue_depth", Help: "Requests waiting for a hash slot.",
		}),
		shed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "password_hash_shed_total", Help: "Requests refused because the hash queue was full or slow.",
		}),
	}
	for range cap(h.queue) - cap(h.queue)/2 - 1 { // the upper half is free to begin with
		h.freed <- struct{}{}
	}
	if reg != nil {
		for _, c := range []prometheus.Collector{h.seconds, h.waited, h.depth, h.shed} {
			if err := reg.Register(c); err != nil {
				return nil, fmt.Errorf("register password metrics: %w", err)
			}
		}
	}
	return h, nil
}

// Hash hashes exactly the bytes given: no truncation, trimming or case folding
// (ASVS 6.2.8).
func (h *Hasher) Hash(ctx context.Context, password string) (hash string, err error) {
	t, err := h.Queue()
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	defer t.Leave()
	err = h.run(ctx, func() error {
		hash, err = argon2id.CreateHash(password, h.params)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Check reports whether password made hash, and whether the hash was made at
// another cost than today's and wants replacing. An empty hash stands for an
// unknown user: it costs the same and never matches.
func (h *Hasher) Check(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	t, err := h.Queue()
	if err != nil {
		return false, false, fmt.Errorf("check password: %w", err)
	}
	defer t.Leave()
	return t.Check(ctx, password, hash)
}

// Turn is a slot in the queue for a hash. One goroutine uses it.
type Turn struct{ h *Hasher }

// Queue takes a slot in the queue, or returns ErrCapacity. A sign-in that takes one
// before it looks anything up bounds the lookups by what can be judged. Leave must
// follow.
func (h *Hasher) Queue() (Turn, error) {
	select {
	case h.queue <- struct{}{}:
		return Turn{h}, nil
	default:
		h.shed.Inc()
		return Turn{}, ErrCapacity
	}
}

// Leave gives the slot back, and lets Able let one more through.
func (t Turn) Leave() {
	<-t.h.queue
	select {
	case t.h.freed <- struct{}{}:
	default: // as many as there are slots
	}
}

// Check is Hasher.Check with a slot in the queue already.
func (t Turn) Check(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	known := hash != ""
	if !known && fault.Is(fault.UnknownFaster) {
		return false, false, nil
	}
	if !known {
		hash = t.h.dummy
	}
	err = t.h.run(ctx, func() error {
		match, params, err := argon2id.CheckHash(password, hash)
		if err != nil {
			return err
		}
		ok, stale = match && known, *params != *t.h.params
		return nil
	})
	if err != nil {
		return false, false, fmt.Errorf("check password: %w", err)
	}
	return ok, stale, nil
}

// Able returns ErrCapacity when a sign-in would find the queue full. Asked first, it
// saves all other work. When the queue is more than half full, it lets one request
// through for each slot that has come free: otherwise thousands would see the same
// free slot, and all but one would do their work for nothing.
func (h *Hasher) Able() error {
	taken := len(h.queue)
	if 2*taken <= cap(h.queue) {
		return nil
	}
	if taken < cap(h.queue) {
		select {
		case <-h.freed:
			return nil
		default:
		}
	}
	h.shed.Inc()
	return ErrCapacity
}

// run does the work of a request that has a slot in the queue. Work once begun is
// never abandoned: nothing can stop argon2, so giving up early would only let more
// of them run.
func (h *Hasher) run(ctx context.Context, work func() error) error {
	if err := h.enter(ctx); err != nil {
		return err
	}
	defer func() { <-h.slots }()
	began := time.Now()
	defer func() { h.seconds.Observe(time.Since(began).Seconds()) }()
	return work()
}

func (h *Hasher) enter(ctx context.Context) error {
	began := time.Now()
	defer func() { h.waited.Observe(time.Since(began).Seconds()) }()
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	h.depth.Inc()
	defer h.depth.Dec()
	defer web.ReleaseSlot(ctx)()
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		h.shed.Inc()
		return ErrCapacity
	case <-ctx.Done():
		return ctx.Err()
	}
}
