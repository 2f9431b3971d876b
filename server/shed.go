package server

import (
	"context"
	"net/http"
	"time"

	"vitals/server/web"
)

// shedLoad admits MAX_IN_FLIGHT requests at once and refuses the rest without a
// queue: a queue only moves the wait to where nobody sees it. An admitted request
// has REQUEST_TIMEOUT. One that waits for its client, or for its turn at something
// scarce, releases its slot meanwhile (web.ReleaseSlot). Checks of credentials, which
// anybody may send at any rate, leave a fifth of the slots to others: they cannot
// turn away users who are signed in. The other four fifths of the default 256 are
// enough for 200 guesses at once to be judged or locked out, none shed (LK8).
func (s *Server) shedLoad(next http.Handler) http.Handler {
	all := make(chan struct{}, s.cfg.HTTP.MaxInFlight)
	most := make(chan struct{}, max(1, s.cfg.HTTP.MaxInFlight-max(1, s.cfg.HTTP.MaxInFlight/5)))
	everybody, credentialChecks := []chan struct{}{all}, []chan struct{}{most, all}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.HTTP.RequestTimeout)
		defer cancel()
		p := &slot{of: everybody, over: ctx.Done()}
		if exchangeOf(ctx).route.early != nil {
			p.of = credentialChecks
		}
		if !p.Acquire(false) {
			s.overloaded().Write(w, r)
			return
		}
		defer p.Release()
		defer s.metrics.Entered()()
		next.ServeHTTP(w, r.WithContext(web.WithSlot(ctx, p)))
	})
}

// overloaded is the refusal of a request for which no slot is free, and counts it.
func (s *Server) overloaded() *web.Problem {
	s.metrics.Shed()
	return web.Fail(http.StatusServiceUnavailable, "overloaded", "The service is busy; try again in a moment.").
		WithRetry(time.Second)
}

// slot is one request's share of each of the bounds it falls under.
type slot struct {
	of   []chan struct{}
	over <-chan struct{} // the request's end
	held int             // of those, the first ones
}

// Release implements web.Slot.
func (p *slot) Release() {
	for ; p.held > 0; p.held-- {
		<-p.of[p.held-1]
	}
}

// Acquire implements web.Slot.
func (p *slot) Acquire(wait bool) bool {
	for p.held < len(p.of) {
		if !p.take(p.of[p.held], wait) {
			p.Release()
			return false
		}
		p.held++
	}
	return true
}

func (p *slot) take(bound chan struct{}, wait bool) bool {
	select {
	case bound <- struct{}{}:
		return true
	default:
	}
	if !wait {
		return false
	}
	select {
	case bound <- struct{}{}:
		return true
	case <-p.over:
		return false
	}
}
