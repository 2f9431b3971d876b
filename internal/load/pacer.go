package load

import (
	"context"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Schedule says when arrival n is due: pure, random access, never decreasing in
// n, false past the last one.
type Schedule interface {
	Due(n uint64) (time.Duration, bool)
}

// ring is how many arrivals the pacer remembers for the workers that carry them
// out. A worker looks its arrival up within microseconds of the tick.
const ring = 1 << 16

// arrival is what vegeta's sequence number stands for.
type arrival struct {
	n      uint64
	seq    uint64 // vegeta's number
	due    time.Duration
	capped bool // it waited because every worker was busy
}

// pacer is a vegeta.Pacer that waits itself, precisely, and answers "now": the
// attacker's own wait is time.Sleep, which wakes up a millisecond late and cannot
// be interrupted. It is called from one goroutine.
type pacer struct {
	ctx      context.Context
	schedule Schedule
	n        uint64 // next arrival; this process takes every stride-th
	stride   uint64
	began    time.Time
	maxLate  time.Duration // 0 = never drop
	wait     waiter
	drop     func(arrival)
	full     func(hits uint64) bool // every worker that may exist is busy with one of the first hits

	ring    []arrival
	handed  uint64        // ticks returned to the attacker
	left    time.Duration // when Pace last returned
	filled  bool          // and whether every worker was busy then
	freed   time.Duration // when a hand-over that waited for a worker ended
	capWait time.Duration // spent in such hand-overs
}

var _ vegeta.Pacer = (*pacer)(nil)

// Pace implements vegeta.Pacer. hits is the sequence number of the next request.
func (p *pacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	now := time.Since(p.began)
	if over := now - p.left; p.filled && over > handOver {
		p.freed = now
		p.capWait += over
	}
	for p.ctx.Err() == nil {
		due, ok := p.schedule.Due(p.n)
		if !ok {
			break
		}
		a := arrival{n: p.n, seq: hits, due: due, capped: due < p.freed}
		p.n += p.stride
		if early := due - time.Since(p.began); early > 0 {
			if !p.wait.until(p.ctx, early) {
				p.n = a.n // not sent: counted as unsent
				break
			}
		} else if p.maxLate > 0 && -early > p.maxLate {
			p.drop(a)
			continue
		}
		p.filled = p.full(hits)
		a.capped = a.capped || p.filled
		p.ring[hits%ring] = a
		p.handed = hits + 1
		p.left = time.Since(p.began)
		return 0, false
	}
	return 0, true
}

// Rate implements vegeta.Pacer; the attacker never asks.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// handOver is how long giving a tick to a worker takes at most when one is free.
const handOver = 100 * time.Microsecond

// waiter waits for a span of time, or until ctx ends (false).
type waiter interface {
	until(ctx context.Context, d time.Duration) bool
	close()
}

// sleeper waits by the runtime's timers: good to about a millisecond, which is
// what think time needs.
type sleeper struct{ t *time.Timer }

func newSleeper() *sleeper {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &sleeper{t}
}

func (s *sleeper) until(ctx context.Context, d time.Duration) bool {
	s.t.Reset(d)
	select {
	case <-s.t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		s.t.Stop()
		return false
	}
}

func (s *sleeper) close() { s.t.Stop() }

// sleep is for the rare wait that needs no timer of its own.
func sleep(ctx context.Context, d time.Duration) bool {
	s := newSleeper()
	defer s.close()
	return s.until(ctx, d)
}
