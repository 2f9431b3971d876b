package server

import (
	"fmt"
	"net/http"

	"github.com/jub0bs/cors"

	"vitals/server/config"
)

// newCORS builds the cross-origin layer, or none when it is off or nobody is
// allowed. The library refuses what would be unsafe (null, a wildcard with
// credentials); so does config.
func newCORS(c config.CORS, production bool) (layer, error) {
	if c.Disable || len(c.Origins) == 0 && !c.AllowAll {
		return func(next http.Handler) http.Handler { return next }, nil
	}
	origins := c.Origins
	if c.AllowAll {
		origins = []string{"*"}
	}
	m, err := cors.NewMiddleware(cors.Config{
		Origins:      origins,
		Credentialed: c.Credentials && !c.AllowAll,
		Methods:      []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		// If-Match carries the version that PATCH /patients/{id} compares.
		RequestHeaders:  []string{"Authorization", "Content-Type", "If-Match", requestIDHeader},
		MaxAgeInSeconds: int(c.MaxAge.Seconds()),
		ResponseHeaders: []string{
			requestIDHeader, "Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "Location",
			"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window", "X-RateLimit-Policy",
		},
		// A staging page may live on plain http inside a private network.
		DangerouslyTolerateInsecureOrigins: !production,
	})
	if err != nil {
		return nil, fmt.Errorf("build CORS: %w", err)
	}
	return func(next http.Handler) http.Handler {
		wrapped := m.Wrap(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// The library leaves it off preflights, which no cache may keep; a
			// cache that does so all the same must not mix origins up.
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				w.Header().Add("Vary", "Origin")
			}
			wrapped.ServeHTTP(w, r)
		})
	}, nil
}
