package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"vitals/server/telemetry"
	"vitals/server/web"
)

// statusClientGone is the log's and the metrics' word for an answer that nobody
// waited for. It is never sent.
const statusClientGone = 499

// clientIP finds out who asks, by the trusted-proxy rules.
func (s *Server) clientIP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := web.WithClientIP(r.Context(), s.deps.ClientIP(r))
		next.ServeHTTP(w, r.WithContext(web.WithHeader(ctx, w.Header())))
	})
}

// observe writes the access log and counts, by route pattern and never by raw
// path, which would be unbounded and personal.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.route = s.resolve(r)
		ctx, finish := s.deps.Trace(r.Context(), telemetry.Method(r.Method), x.route.path)
		r = r.WithContext(ctx)
		served := false
		defer func() {
			status := x.status
			switch {
			case !served: // a panic is on its way to recoverPanics
				status = http.StatusInternalServerError
			case r.Context().Err() == context.Canceled:
				status = statusClientGone
			case status == 0:
				status = http.StatusOK // net/http sends it when nobody wrote
			}
			finish(status)
			s.record(r, x, status)
		}()
		if s.draining.Load() {
			// Clients move away while new connections are still accepted, so
			// that closing the idle ones later fails nobody.
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
		served = true
	})
}

func (s *Server) record(r *http.Request, x *exchange, status int) {
	took := time.Since(x.began)
	s.metrics.Answered(r.Method, x.route.path, status, took)
	level := slog.LevelInfo
	if x.route.operational && status < http.StatusBadRequest {
		level = slog.LevelDebug // probes ask every few seconds
	}
	ctx := r.Context()
	if !s.access.Enabled(ctx, level) {
		return
	}
	if x.user.UserID != 0 {
		ctx = web.WithPrincipal(ctx, x.user)
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method),
		slog.String("route", x.route.path),
		slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("client_ip", web.ClientIP(ctx).String()),
		slog.Int64("bytes", x.bytes),
	}
	if x.replaced {
		attrs = append(attrs, slog.Bool("request_id_replaced", true))
	}
	s.access.LogAttrs(ctx, level, "request", attrs...)
}
