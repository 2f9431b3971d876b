package limit

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"vitals/server/web"
)

func TestMiddlewareCountsByUserElseAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		served := 0
		h := g.Middleware(
			func(pattern string) bool { return pattern == "POST /auth/login" },
			func(r *http.Request) string { return r.Method + " " + r.URL.Path },
		)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
		call := func(method, path string, user int64) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, nil)
			ctx, _ := from(r.Context(), "192.0.2.1")
			if user != 0 {
				ctx = web.WithPrincipal(ctx, web.Principal{UserID: user})
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r.WithContext(ctx))
			return w
		}
		for range 100 {
			call("GET", "/medications", 7)
		}
		refused := call("GET", "/medications", 7)
		if served != 100 || refused.Code != 429 || refused.Header().Get("Retry-After") != "3600" {
			t.Errorf("got %d served, then %d with Retry-After %q; want 100, 429, 3600",
				served, refused.Code, refused.Header().Get("Retry-After"))
		}
		for name, w := range map[string]*httptest.ResponseRecorder{
			"another user": call("GET", "/medications", 8), "nobody": call("GET", "/medications", 0),
			"route with its own policy": call("POST", "/auth/login", 7),
		} {
			if w.Code != 200 {
				t.Errorf("%s: got %d, want 200", name, w.Code)
			}
		}
	})
}

// What has no route counts, however it is spelt, and the pattern decides.
func TestNoPathIsExempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.Quotas.API.Limit = 3
		g := openGate(t, o)
		mux := http.NewServeMux()
		mux.HandleFunc("POST /api/v1/auth/login", func(http.ResponseWriter, *http.Request) {})
		h := g.Middleware(
			func(pattern string) bool { return pattern == "POST /api/v1/auth/login" },
			func(r *http.Request) string { _, pattern := mux.Handler(r); return pattern },
		)(mux)
		codes := map[int]int{}
		for _, path := range []string{
			"/health/../api/v1/auth/login/", "/api/v1/auth/login/", "/healthz", "/api/v1/auth/LOGIN", "/metrics", "/api/v1/auth/login%2F",
		} {
			r := httptest.NewRequest("POST", path, nil)
			ctx, _ := from(r.Context(), "192.0.2.1")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r.WithContext(ctx))
			codes[w.Code]++
		}
		if codes[429] != 3 {
			t.Errorf("got %v, want three of six refused", codes)
		}
	})
}
