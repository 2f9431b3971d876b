package limit

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/server/web"
)

// options are the published limits with a secret.
func options() Options {
	return Options{
		Quotas: Published(), IETF: true, SlotWait: 3 * time.Second,
		Throttle: Throttle{Failures: 20, Window: 24 * time.Hour}, Secret: []byte("for tests only"),
	}
}

func openGate(t *testing.T, o Options) *Gate {
	t.Helper()
	g, err := Open(t.Context(), o, nil, nil, nil)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// from is the context of a request of a client, and its response's headers.
func from(ctx context.Context, ip string) (context.Context, http.Header) {
	h := http.Header{}
	return web.WithHeader(web.WithClientIP(ctx, netip.MustParseAddr(ip)), h), h
}

func problemOf(t *testing.T, err error) *web.Problem {
	t.Helper()
	p, ok := errors.AsType[*web.Problem](err)
	if !ok {
		t.Fatalf("got error %v, want a problem", err)
	}
	return p
}

func TestGateHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		type seen struct{ Remaining, Reset, IETF, Policy, Retry string }
		look := func(h http.Header) seen {
			return seen{
				h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Reset"),
				h.Get("RateLimit"), h.Get("RateLimit-Policy"), h.Get("Retry-After"),
			}
		}
		// The fake clock starts at 2000-01-01, 946684800.
		want := []seen{
			{"4", "946685100", `"login";r=4;t=300`, `"login";q=5;w=300`, ""},
			{"3", "946685100", `"login";r=3;t=299`, `"login";q=5;w=300`, ""},
			{"2", "946685100", `"login";r=2;t=298`, `"login";q=5;w=300`, ""},
			{"1", "946685100", `"login";r=1;t=297`, `"login";q=5;w=300`, ""},
			{"0", "946685100", `"login";r=0;t=296`, `"login";q=5;w=300`, ""},
			{"0", "946685705", `"login";r=0;t=900`, `"login";q=5;w=300`, "900"},
			{"0", "946685705", `"login";r=0;t=899`, `"login";q=5;w=300`, "899"},
		}
		for i, w := range want {
			ctx, h := from(t.Context(), "192.0.2.1")
			a, err := g.Enter(ctx, Login)
			if err == nil {
				a.Fail(ctx, "mallory@clinic.test")
			}
			if diff := cmp.Diff(w, look(h)); diff != "" {
				t.Errorf("attempt %d (-want +got):\n%s", i+1, diff)
			}
			time.Sleep(time.Second)
		}
	})
}

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
