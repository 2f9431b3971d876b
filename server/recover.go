package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"vitals/server/web"
)

// requestIDHeader carries the request's ID both ways.
const requestIDHeader = "X-Request-ID"

// recoverPanics turns a panic into the generic 500 and one ERROR record, which
// is the one event Sentry gets. http.ErrAbortHandler passes: it is net/http's
// own way to drop a connection.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, began: time.Now()}
		r = r.WithContext(web.WithRefusal(context.WithValue(r.Context(), exchangeKey{}, x), x.refused))
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			err, ok := reason.(error)
			if ok && errors.Is(err, http.ErrAbortHandler) {
				panic(reason)
			}
			if !ok {
				err = fmt.Errorf("%v", reason)
			}
			// The ID is on the response before anything can panic.
			ctx := web.WithRequestID(r.Context(), w.Header().Get(requestIDHeader))
			s.log.ErrorContext(ctx, "panic in a handler", "error", err, "stack", string(debug.Stack()))
			if x.status != 0 {
				panic(http.ErrAbortHandler) // half an answer must not look like a whole one
			}
			refuse(x, r.WithContext(ctx), web.Internal(err))
		}()
		next.ServeHTTP(x, r)
	})
}
