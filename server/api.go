package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"vitals/server/web"
)

// newAPI is the service's API on the router.
func (s *Server) newAPI(table *routeTable) huma.API {
	table.Adapter = humago.NewAdapter(s.mux, "")
	return web.NewAPI("Clinic API", s.version, table, func(c *huma.Config) {
		if s.cfg.Core.Env != "development" {
			c.OpenAPIPath = ""
		}
		c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
			"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
		}
		c.Transformers = append(c.Transformers, s.finish)
	})
}

// finish completes a problem that a handler returned with what only the edge
// knows, and logs it when the fault is ours.
func (s *Server) finish(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*web.Problem)
	if !ok {
		return v, nil
	}
	r, w := humago.Unwrap(ctx)
	s.logFailure(r.Context(), p)
	return p.For(w, r), nil
}

// logFailure logs an answer that is our fault, once: ERROR, which Sentry gets,
// for a defect; WARNING for a refusal under load, whose count is a metric.
func (s *Server) logFailure(ctx context.Context, p *web.Problem) {
	x := exchangeOf(ctx)
	if p.Status < http.StatusInternalServerError || x == nil || x.failed || ctx.Err() == context.Canceled {
		return
	}
	x.failed = true
	attrs := []any{"code", p.Code, "route", x.route.path, "error", error(p)}
	if p.Status == http.StatusServiceUnavailable {
		s.log.WarnContext(ctx, "request refused", attrs...)
		return
	}
	s.log.ErrorContext(ctx, "request failed", attrs...)
}
