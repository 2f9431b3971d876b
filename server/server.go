// Package server is the clinic API, put together: it turns a checked
// configuration into listeners, the chain of layers every request passes, the
// services behind it (identity, clinic) and an orderly end. What the services do is
// theirs; the order in which they are asked is here.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/config"
	"vitals/server/telemetry"
	"vitals/server/web"
)

// Gate is the limiter as the chain uses it.
type Gate interface {
	// CountAPI counts one request against the api policy, by user (0 is none) or by
	// address; toAddress, nil if it is there, moves the count to the address. The
	// error is the refusal.
	CountAPI(ctx context.Context, user int64) (toAddress func(context.Context) error, err error)
	// Count counts one request of ctx against a policy; the error is the refusal.
	Count(ctx context.Context, policy string, keys ...string) error
}

// Deps is what the services give the chain. Log, Registry and ClientIP are needed;
// a nil func or Gate leaves its layer out.
type Deps struct {
	Log      *slog.Logger
	Registry prometheus.Registerer
	// ClientIP is the address a request came from, by the trusted-proxy rules.
	ClientIP func(*http.Request) netip.Addr
	// Authenticate reads an access token, without storage.
	Authenticate func(ctx context.Context, token string) (web.Principal, error)
	// CheckSession confirms a token's user and session against storage.
	CheckSession func(ctx context.Context, p web.Principal) (web.Principal, error)
	Gate         Gate
	// OwnPolicy are the patterns that the api policy skips.
	OwnPolicy []string
	// Early are checks by pattern that come before the body is read; the error is
	// the refusal.
	Early map[string]func(context.Context) error
	// CheckDatabase answers within its context, on a connection outside the pool.
	CheckDatabase func(ctx context.Context) error
	// Trace begins the span of one request under its route; the func ends it with
	// the status sent. nil = no tracing.
	Trace func(ctx context.Context, method, route string) (context.Context, func(status int))
	// Register adds the services' operations.
	Register []func(huma.API)
	Version  string
}

// Server is the API as a handler, and whether it is leaving.
type Server struct {
	cfg         *config.Config
	deps        Deps
	version     string
	log         *slog.Logger // app.http
	access      *slog.Logger // app.access
	security    *slog.Logger // security
	metrics     *telemetry.HTTP
	mux         *http.ServeMux
	routes      map[string]*route
	ownPolicy   map[string]bool
	ready       *readiness
	ended       endedSessions
	draining    atomic.Bool
	crossOrigin layer
	handler     http.Handler
}

// New builds the chain and registers the services' operations. It opens nothing.
func New(cfg *config.Config, d Deps) (*Server, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Trace == nil {
		d.Trace = func(ctx context.Context, _, _ string) (context.Context, func(int)) { return ctx, func(int) {} }
	}
	s := &Server{
		cfg: cfg, deps: d, version: d.Version,
		log:       telemetry.Named(d.Log, "app.http"),
		access:    telemetry.Named(d.Log, "app.access"),
		security:  telemetry.Named(d.Log, telemetry.SecurityLogger),
		metrics:   telemetry.NewHTTP(d.Registry),
		mux:       http.NewServeMux(),
		ownPolicy: map[string]bool{},
		ready:     newReadiness(d.CheckDatabase),
	}
	for _, pattern := range d.OwnPolicy {
		s.ownPolicy[pattern] = true
	}
	var err error
	if s.crossOrigin, err = newCORS(cfg.CORS, cfg.Core.Env == config.Production); err != nil {
		return nil, err
	}
	table := &routeTable{maxBody: cfg.HTTP.MaxBodyBytes, routes: map[string]*route{}}
	api := s.newAPI(table)
	for _, register := range d.Register {
		register(api)
	}
	s.routes = table.routes
	for pattern := range s.ownPolicy {
		if s.routes[pattern] == nil {
			return nil, fmt.Errorf("build routes: %q has a limit of its own and does not exist", pattern)
		}
	}
	for pattern, early := range d.Early {
		r := s.routes[pattern]
		if r == nil {
			return nil, fmt.Errorf("build routes: %q is to be checked early and does not exist", pattern)
		}
		r.early = early
	}
	s.handler = s.chain()
	return s, nil
}

// ServeHTTP answers one request through the whole chain.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	atWork(r.Context())
	s.handler.ServeHTTP(w, r)
}

// Drain makes /ready say 503 and answers ask clients to close their connections;
// requests are still served.
func (s *Server) Drain() { s.draining.Store(true) }
