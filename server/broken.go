package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"vitals/server/fault"
	"vitals/server/store"
)

// throughPool asks the database as requests do.
func throughPool(db store.DB) func(context.Context) error {
	return func(ctx context.Context) error {
		return db.Read(ctx, func(ctx context.Context, q store.Querier) error {
			var one int
			return q.QueryRowContext(ctx, "SELECT 1").Scan(&one)
		})
	}
}

// broken is the layer of the faults that show at the edge.
func (s *Server) broken(next http.Handler) http.Handler {
	if !fault.Built {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault.Is(fault.LiveTouchesDatabase) && r.URL.Path == "/live" && s.deps.CheckDatabase(r.Context()) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if fault.Is(fault.Panic) && strings.HasSuffix(r.URL.Path, "/auth/me") {
			panic("broken on purpose")
		}
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/medications") {
			time.Sleep(fault.Slow())
		}
		next.ServeHTTP(&brokenAnswer{ResponseWriter: w, r: r}, fault.WithPath(r))
	})
}

type brokenAnswer struct {
	http.ResponseWriter
	r       *http.Request
	instead []byte // of the body; nil = the body itself
}

func (a *brokenAnswer) WriteHeader(status int) {
	h := a.Header()
	switch {
	case fault.Is(fault.VaryMissing):
		h.Del("Vary")
	case fault.Is(fault.NullOrigin) && a.r.Header.Get("Origin") == "null":
		h.Set("Access-Control-Allow-Origin", "null")
		h.Set("Access-Control-Allow-Credentials", "true")
	case fault.Is(fault.HeadersOnSuccess) && status >= http.StatusBadRequest:
		for name := range h {
			if strings.Contains(strings.ToLower(name), "ratelimit") {
				h.Del(name)
			}
		}
	case fault.Is(fault.RetryAfterZero) && h.Get("Retry-After") != "":
		h.Set("Retry-After", "0")
	case fault.Is(fault.SuccessFalse) && status == http.StatusUnauthorized && strings.HasSuffix(a.r.URL.Path, "/auth/login"):
		h.Del("WWW-Authenticate")
		h.Set("Content-Type", "application/json")
		status, a.instead = http.StatusOK, []byte(`{"success":false}`)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *brokenAnswer) Write(b []byte) (int, error) {
	if a.instead == nil {
		return a.ResponseWriter.Write(b)
	}
	_, err := a.ResponseWriter.Write(a.instead)
	a.instead = a.instead[:0]
	return len(b), err
}

// Unwrap lets http.ResponseController reach deadlines and flushing.
func (a *brokenAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
