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
func (s *Server) shedLoad(next http.Handler) http.Handler {
	slots := make(chan struct{}, s.cfg.HTTP.MaxInFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.HTTP.RequestTimeout)
		defer cancel()
		p := &place{slots: slots, over: ctx.Done()}
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

// place is one request's slot.
type place struct {
	slots chan struct{}
	over  <-chan struct{} // the request's end
	held  bool
}

// Leave implements web.Place.
func (p *place) Leave() {
	if p.held {
		p.held = false
		<-p.slots
	}
}

// Enter implements web.Place.
func (p *place) Enter(wait bool) bool {
	if p.held {
		return true
	}
	select {
	case p.slots <- struct{}{}:
		p.held = true
	default:
		if wait {
			select {
			case p.slots <- struct{}{}:
				p.held = true
			case <-p.over:
			}
		}
	}
	return p.held
}
