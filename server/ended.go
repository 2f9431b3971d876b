package server

import (
	"context"
	"sync"
	"time"

	"vitals/server/web"
)

// The bound of what is remembered, and for how long: a token that ended lives on
// for at most its lifetime.
const (
	endedMax = 1 << 14
	endedFor = time.Hour
)

// endedSessions remembers sessions that did not stand the check: an ended session
// never stands again. Their tokens are then as good as none, and cost neither a trip
// to the database nor a request of their user's quota. The zero value is empty.
type endedSessions struct {
	mu    sync.Mutex
	until map[endedSession]time.Time
}

type endedSession struct {
	id      string
	version int64
}

func (e *endedSessions) has(p web.Principal) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Now().Before(e.until[endedSession{p.SessionID, p.Version}])
}

func (e *endedSessions) add(p web.Principal) {
	if p.SessionID == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.until) >= endedMax || e.until == nil {
		e.until = map[endedSession]time.Time{} // forgotten, they are checked again
	}
	e.until[endedSession{p.SessionID, p.Version}] = time.Now().Add(endedFor)
}

// countAtAddress is the refusal p of a token whose session has ended, counted at the
// address: whoever holds a stolen token must not spend its owner's quota.
func (x *exchange) countAtAddress(ctx context.Context, p *web.Problem) *web.Problem {
	if x.toAddress == nil {
		return p
	}
	if err := x.toAddress(ctx); err != nil {
		return web.ProblemOf(err)
	}
	return p
}
