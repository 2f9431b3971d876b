package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"vitals/server/web"
)

// maxFieldErrors bounds how many wrong fields one answer lists.
const maxFieldErrors = 20

// humaOnce guards the two hooks that huma keeps in package variables. They hold
// no server's state: what they need comes with the request.
var humaOnce sync.Once

// newAPI is huma on the router, with its two leaks closed: it would echo
// rejected values (passwords among them) and the text of wrapped errors.
func (s *Server) newAPI(table *routeTable) huma.API {
	humaOnce.Do(func() {
		huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
			return frameworkProblem(status, msg, errs)
		}
		huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
			p := frameworkProblem(status, msg, errs)
			if x := exchangeOf(ctx.Context()); x != nil && x.charge != nil && p.Status < http.StatusInternalServerError {
				if err := x.charge(ctx.Context()); err != nil {
					return problemOf(err)
				}
			}
			return p
		}
		huma.DefaultArrayNullable = false
	})
	c := huma.DefaultConfig("Clinic API", s.version)
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil
	if s.cfg.Core.Env != "development" {
		c.OpenAPIPath = ""
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
	c.Transformers = append(c.Transformers, s.finish)
	table.Adapter = humago.NewAdapter(s.mux, "")
	return huma.NewAPI(c, table)
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

// frameworkProblem is what huma found wrong, in our words: the field and the
// rule, never the value.
func frameworkProblem(status int, msg string, errs []error) *web.Problem {
	if status >= http.StatusInternalServerError {
		return problemOf(cmp.Or(errors.Join(errs...), errors.New(msg)))
	}
	code := map[int]string{
		http.StatusBadRequest:            "malformed",
		http.StatusRequestEntityTooLarge: "body_too_large",
		http.StatusUnsupportedMediaType:  "unsupported_media_type",
		http.StatusUnprocessableEntity:   "validation",
	}[status]
	p := web.Fail(status, cmp.Or(code, "refused"), "The request does not have the expected form.")
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok && len(p.Errors) < maxFieldErrors {
			p.Errors = append(p.Errors, fieldError(d.ErrorDetail(), status))
		}
	}
	slices.SortFunc(p.Errors, func(a, b web.FieldError) int { // huma's order is a map's
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Msg, b.Msg))
	})
	return p
}

// fieldError keeps the place and the rule. What follows a colon in huma's
// messages is a parser's text, which quotes its input.
func fieldError(d *huma.ErrorDetail, status int) web.FieldError {
	rule, _, _ := strings.Cut(d.Message, ": ")
	if status == http.StatusBadRequest && d.Location == "body" {
		rule = "is not valid JSON"
	}
	field := d.Location
	if len(field) > 100 {
		field = strings.ToValidUTF8(field[:100], "") + "…"
	}
	return web.FieldError{Field: field, Msg: rule}
}

// problemOf is err as an answer: a problem as it is, a missed deadline as a 503,
// anything else as the generic 500 around its cause.
func problemOf(err error) *web.Problem {
	if p, ok := errors.AsType[*web.Problem](err); ok {
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return web.Fail(http.StatusServiceUnavailable, "timeout", "The request took too long.").
			WithRetry(time.Second).Because(err)
	}
	return web.Internal(err)
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
