package server

import (
	"context"
	"net/http"
	"path"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/web"
)

// route is what the layers need to know of the operation a request is for. The
// zero value with a path is a route that nobody registered.
type route struct {
	pattern     string // as ServeMux knows it: "POST /api/v1/auth/login"; "" = none
	path        string // label of logs and metrics: a path template or a fixed word
	operational bool   // /health, /ready, /live
	secured     bool   // needs a signed-in user
	roles       []web.Role
	hasBody     bool
	maxBody     int64                       // bytes
	early       func(context.Context) error // asked before the body is read; nil = nothing
}

// unmatched is the route of every request that no pattern fits.
var unmatched = &route{path: "unmatched"}

// operationRoutes are the paths served ahead of the router.
var operationRoutes = map[string]*route{
	"/health": {path: "/health", operational: true},
	"/ready":  {path: "/ready", operational: true},
	"/live":   {path: "/live", operational: true},
}

// routeTable is a huma adapter that notes what each operation asks for, so that
// the layers outside huma enforce the same facts that the OpenAPI text shows.
type routeTable struct {
	huma.Adapter
	maxBody int64 // bytes, for operations that name no smaller limit
	routes  map[string]*route
}

// Handle registers an operation with the router and the table.
func (t *routeTable) Handle(op *huma.Operation, handler func(huma.Context)) {
	pattern := strings.ToUpper(op.Method) + " " + op.Path
	roles, _ := op.Metadata["roles"].([]web.Role)
	t.routes[pattern] = &route{
		pattern: pattern, path: op.Path,
		secured: len(op.Security) > 0, roles: roles,
		hasBody: op.RequestBody != nil, maxBody: min(op.MaxBodyBytes, t.maxBody),
	}
	t.Adapter.Handle(op, handler)
}

// resolve finds the request's route once, before anything depends on it. A path
// that ServeMux would redirect to its clean form matches nothing: an API has one
// name for each thing, and a limiter must not see two.
func (s *Server) resolve(r *http.Request) *route {
	if found, ok := operationRoutes[r.URL.Path]; ok {
		return found
	}
	if r.URL.Path == "" || r.URL.Path != path.Clean(r.URL.Path) {
		return unmatched
	}
	if _, pattern := s.mux.Handler(r); pattern != "" {
		if found, ok := s.routes[pattern]; ok {
			return found
		}
		_, template, _ := strings.Cut(pattern, " ")
		return &route{pattern: pattern, path: template}
	}
	return unmatched
}

// checkRoute turns what no pattern fits into a 404 or a 405 problem; ServeMux
// knows which, and what to allow.
func (s *Server) checkRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if exchangeOf(r.Context()).route.pattern != "" {
			next.ServeHTTP(w, r)
			return
		}
		verdict := &statusOnly{header: http.Header{}}
		h, pattern := s.mux.Handler(r)
		if pattern == "" {
			h.ServeHTTP(verdict, r)
		}
		if allow := verdict.header.Get("Allow"); verdict.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allow)
			refuse(w, r, web.Fail(http.StatusMethodNotAllowed, "method_not_allowed", "This path answers "+allow+"."))
			return
		}
		refuse(w, r, web.Fail(http.StatusNotFound, "not_found", "There is nothing here."))
	})
}

// statusOnly keeps an answer's status and headers and drops its body.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
