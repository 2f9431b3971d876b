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

// How many may wait, in one line and in all. Who waits holds a connection: an
// attack from many addresses would else fill the process with them.
const (
	lineMax  = 256
	linesMax = 1024
)

// lines are the queues of those who wait for a slot, one per (policy, key). Only
// the head of a line asks the limiter, so a hundred waiters make no storm; a
// check that ends in this process wakes it at once.
type lines struct {
	mu      sync.Mutex
	at      map[place]*line
	waiting int
}

type line struct {
	waiting int
	turn    chan struct{} // holds the head's token; senders queue in order
	free    chan struct{} // a slot was given back
}

func newLines() lines { return lines{at: map[place]*line{}} }

// join returns the line at p, and whether there is room in it. If only an existing
// one will do and there is none, it returns nil.
func (l *lines) join(p place, existing bool) (q *line, room bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q = l.at[p]; q == nil && existing {
		return nil, true
	}
	if l.waiting >= linesMax || q != nil && q.waiting >= lineMax {
		return nil, false
	}
	if q == nil {
		q = &line{turn: make(chan struct{}, 1), free: make(chan struct{}, 1)}
		l.at[p] = q
	}
	q.waiting++
	l.waiting++
	return q, true
}

func (l *lines) leave(p place, q *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	if q.waiting--; q.waiting == 0 {
		delete(l.at, p)
	}
}

// freed tells the head of the line at p that a slot may be free.
func (l *lines) freed(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q := l.at[p]; q != nil {
		select {
		case q.free <- struct{}{}:
		default:
		}
	}
}

// begin asks for a slot and waits while all are busy. Who finds a line joins its
// end: nobody overtakes. A full one is left at once.
func (g *Gate) begin(ctx context.Context, a *Attempt) (Decision, error) {
	at := place{a.policy.Name, a.key}
	q, room := g.lines.join(at, true)
	if q == nil && room {
		d, err := g.limiter.Begin(ctx, a.policy, a.key, a.id)
		if err != nil || d.Verdict != Busy || g.options.SlotWait <= 0 {
			return d, err
		}
		q, room = g.lines.join(at, false)
	}
	if !room {
		return Decision{Verdict: Busy}, nil
	}
	defer g.lines.leave(at, q)
	defer web.StepAside(ctx)()

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

// lastAsk is for whoever has waited long enough; who hung up gets no slot.
func (g *Gate) lastAsk(ctx context.Context, a *Attempt) (Decision, error) {
	if ctx.Err() != nil {
		return Decision{Verdict: Busy}, nil
	}
	a.id = newID()
	return g.limiter.Begin(ctx, a.policy, a.key, a.id)
}
