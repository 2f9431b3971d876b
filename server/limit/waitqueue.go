package limit

import (
	"context"
	"sync"
	"time"

	"vitals/server/web"
)

// Between two looks for a slot that only another process can free.
const (
	firstLook = 25 * time.Millisecond
	lastLook  = 200 * time.Millisecond
)

// How many may wait, in one queue and in all. Each holds a connection: without a
// bound, an attack from many addresses would fill the process with them.
const (
	perQueueMax = 256
	waitersMax  = 1024
)

// waitQueues are the requests that wait for a slot, one queue per (policy, key). Only
// the first of a queue asks the limiter, so that a hundred do not ask at once; a check
// that ends in this process wakes it.
type waitQueues struct {
	mu      sync.Mutex
	at      map[recordKey]*waitQueue
	waiting int
}

type waitQueue struct {
	waiting int
	turn    chan struct{} // holds the token of the first; senders queue in order
	free    chan struct{} // a slot was given back
}

func newWaitQueues() waitQueues { return waitQueues{at: map[recordKey]*waitQueue{}} }

// join returns the queue of p, and whether there is room in it. If only an existing
// one will do and there is none, it returns nil.
func (l *waitQueues) join(p recordKey, existing bool) (q *waitQueue, room bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q = l.at[p]; q == nil && existing {
		return nil, true
	}
	if l.waiting >= waitersMax || q != nil && q.waiting >= perQueueMax {
		return nil, false
	}
	if q == nil {
		q = &waitQueue{turn: make(chan struct{}, 1), free: make(chan struct{}, 1)}
		l.at[p] = q
	}
	q.waiting++
	l.waiting++
	return q, true
}

func (l *waitQueues) leave(p recordKey, q *waitQueue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	if q.waiting--; q.waiting == 0 {
		delete(l.at, p)
	}
}

// freed tells the first of the queue of p that a slot may be free.
func (l *waitQueues) freed(p recordKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q := l.at[p]; q != nil {
		select {
		case q.free <- struct{}{}:
		default:
		}
	}
}

// begin asks for a slot and waits while all are busy. A request that
// finds a queue joins its end: nobody overtakes. From a full one it is refused at once.
func (g *Gate) begin(ctx context.Context, a *Attempt) (Decision, error) {
	at := recordKey{a.policy.Name, a.key}
	q, room := g.queues.join(at, true)
	if q == nil && room {
		d, err := g.limiter.Begin(ctx, a.policy, a.key, a.id)
		if err != nil || d.Verdict != Busy || g.options.SlotWait <= 0 {
			return d, err
		}
		q, room = g.queues.join(at, false)
	}
	if !room {
		return Decision{Verdict: Busy}, nil
	}
	defer g.queues.leave(at, q)
	defer web.ReleaseSlot(ctx)()

	timeout, cancel := context.WithTimeout(ctx, g.options.SlotWait)
	defer cancel()
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-timeout.Done():
		return g.lastAsk(ctx, a)
	}
	for look := firstLook; ; look = min(2*look, lastLook) {
		a.id = newID() // the last one may have been given back
		d, err := g.limiter.Begin(ctx, a.policy, a.key, a.id)
		if err != nil || d.Verdict != Busy {
			return d, err
		}
		select {
		case <-q.free:
		case <-time.After(look):
		case <-timeout.Done():
			return g.lastAsk(ctx, a)
		}
	}
}

// lastAsk is for a request that has waited long enough; one whose client is gone gets
// no slot.
func (g *Gate) lastAsk(ctx context.Context, a *Attempt) (Decision, error) {
	if ctx.Err() != nil {
		return Decision{Verdict: Busy}, nil
	}
	a.id = newID()
	return g.limiter.Begin(ctx, a.policy, a.key, a.id)
}
