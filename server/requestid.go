package server

import (
	"net/http"

	"github.com/google/uuid"

	"vitals/server/web"
)

// requestID gives every request its ID: the client's when it sent exactly one
// acceptable value, else a new UUID. It is on the response before anything can
// write.
func (s *Server) requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header[requestIDHeaderKey]
		var id string
		if len(given) == 1 && acceptableID(given[0]) {
			id = given[0]
		} else {
			id = uuid.NewString()
			exchangeOf(r.Context()).replaced = len(given) > 0
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(web.WithRequestID(r.Context(), id)))
	})
}

// requestIDHeaderKey is requestIDHeader as net/http keeps it.
const requestIDHeaderKey = "X-Request-Id"

// acceptableID is ^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$: nothing that could break a
// log line, a header or a label.
func acceptableID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for i, c := range []byte(id) {
		alnum := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}
