package server

import (
	"context"
	"net/http"
	"time"

	"vitals/server/web"
)

// shedLoad admits MAX_IN_FLIGHT requests at once and refuses the rest without a
// queue: a queue only moves the wait to where nobody sees it. Who is admitted
// gets REQUEST_TIMEOUT.
func (s *Server) shedLoad(next http.Handler) http.Handler {
	slots := make(chan struct{}, s.cfg.HTTP.MaxInFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			s.metrics.Shed()
			web.Fail(http.StatusServiceUnavailable, "overloaded", "The service is busy; try again in a moment.").
				WithRetry(time.Second).Write(w, r)
			return
		}
		defer s.metrics.Entered()()
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.HTTP.RequestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
