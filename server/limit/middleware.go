package limit

import (
	"errors"
	"net/http"

	"vitals/server/web"
)

// Middleware counts every request under the `api` policy: by user when one is
// signed in, else by address. skip says, by route pattern, which routes have a
// policy of their own; patternOf finds the pattern, never the raw path, which a
// client can spell in many ways. Requests without a route ("") count.
func (g *Gate) Middleware(skip func(pattern string) bool, patternOf func(*http.Request) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if skip(patternOf(r)) {
				next.ServeHTTP(w, r)
				return
			}
			key := g.ClientKey(r.Context())
			if user, ok := web.PrincipalFrom(r.Context()); ok && !g.options.APIByIP {
				key = UserKey(user.UserID)
			}
			if err := g.count(r.Context(), w.Header(), API, []string{key}); err != nil {
				problem, ok := errors.AsType[*web.Problem](err)
				if !ok {
					problem = web.Internal(err)
				}
				problem.Write(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
