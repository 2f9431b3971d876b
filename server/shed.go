package server

import (
	"context"
	"net/http"
	"time"

	"vitals/server/web"
)

// shedLoad admits MAX_IN_FLIGHT requests at once and refuses the rest without a
// queue: a queue only moves the wait to where nobody sees it. Who is admitted
// gets REQUEST_TIMEOUT. A request that waits for its client or for its turn at
// something scarce gives its place back meanwhile (web.StepOut, web.StepAside).
// Checks of credentials, which strangers may send at any rate, leave a fifth of
// the places: they cannot turn away those who are signed in. Of the default 256
// that is enough for 200 guesses at once to be judged or locked out, none shed
// (LK8).
func (s *Server) shedLoad(next http.Handler) http.Handler {
	all := make(chan struct{}, s.cfg.HTTP.MaxInFlight)
	most := make(chan struct{}, max(1, s.cfg.HTTP.MaxInFlight-max(1, s.cfg.HTTP.MaxInFlight/5)))
	everybody, strangers := []chan struct{}{all}, []chan struct{}{most, all}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.HTTP.RequestTimeout)
		defer cancel()
		p := &place{slots: everybody, over: ctx.Done()}
		if exchangeOf(ctx).route.early != nil {
			p.slots = strangers
		}
		if !p.Enter(false) {
			s.overloaded().Write(w, r)
			return
		}
		defer p.Leave()
		defer s.metrics.Entered()()
		next.ServeHTTP(w, r.WithContext(web.WithPlace(ctx, p)))
	})
}

// overloaded is the refusal of a request that finds no place, and counts it.
func (s *Server) overloaded() *web.Problem {
	s.metrics.Shed()
	return web.Fail(http.StatusServiceUnavailable, "overloaded", "The service is busy; try again in a moment.").
		WithRetry(time.Second)
}

// place is one request's slot in each of slots.
type place struct {
	slots []chan struct{}
	over  <-chan struct{} // the request's end
	held  int             // of slots, the first ones
}

// Leave implements web.Place.
func (p *place) Leave() {
	for ; p.held > 0; p.held-- {
		<-p.slots[p.held-1]
	}
}

// Enter implements web.Place.
func (p *place) Enter(wait bool) bool {
	for p.held < len(p.slots) {
		if !p.take(p.slots[p.held], wait) {
			p.Leave()
			return false
		}
		p.held++
	}
	return true
}

func (p *place) take(slot chan struct{}, wait bool) bool {
	select {
	case slot <- struct{}{}:
		return true
	default:
	}
	if !wait {
		return false
	}
	select {
	case slot <- struct{}{}:
		return true
	case <-p.over:
		return false
	}
}
