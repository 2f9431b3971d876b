package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitals/server/web"
)

// fakeGate counts by client and admits limit requests in all.
type fakeGate struct {
	limit   int64
	counted atomic.Int64
	charged atomic.Int64
	moved   atomic.Int64 // from users to addresses
}

func (g *fakeGate) CountAPI(ctx context.Context, user int64) (func(context.Context) error, error) {
	if g.counted.Add(1) > g.limit {
		web.Header(ctx).Set("X-RateLimit-Remaining", "0")
		return nil, web.Fail(http.StatusTooManyRequests, "rate_limited", "Wait.").WithRetry(time.Hour)
	}
	if user == 0 {
		return nil, nil
	}
	return func(context.Context) error { g.moved.Add(1); return nil }, nil
}

func (g *fakeGate) Count(_ context.Context, policy string, keys ...string) error {
	if policy != "api" || len(keys) > 0 {
		return fmt.Errorf("charged %q for %v, want api by address", policy, keys)
	}
	if g.counted.Add(1) > g.limit {
		return web.Fail(http.StatusTooManyRequests, "rate_limited", "Wait.").WithRetry(time.Hour)
	}
	g.charged.Add(1)
	return nil
}

// Refusals count once, whoever makes them (probe LK25).
func TestRefusalsOfPolicyRoutesAreCharged(t *testing.T) {
	gate := &fakeGate{limit: 1 << 30}
	bed := newTestbed(t, func(d *Deps) {
		d.Gate, d.OwnPolicy = gate, []string{"POST /api/v1/auth/login", "POST /api/v1/auth/password-change", "GET /api/v1/fault/{kind}"}
	})
	const login = "/api/v1/auth/login"
	cases := []struct {
		name               string
		method, path, body string
		headers            []string
		status             int
		counted, charged   int64
	}{
		{"good sign-in", "POST", login, `{"name":"a"}`, nil, 200, 0, 0},
		{"broken JSON", "POST", login, `{`, nil, 400, 1, 1},
		{"no body", "POST", login, ``, nil, 400, 1, 1},
		{"unknown field", "POST", login, `{"name":"a","x":1}`, nil, 422, 1, 1},
		{"text", "POST", login, `x`, []string{"Content-Type: text/plain"}, 415, 1, 1},
		{"too large", "POST", login, strings.Repeat(" ", 5<<10), nil, 413, 1, 1},
		{"no token", "POST", "/api/v1/auth/password-change", `{"name":"a"}`, nil, 401, 1, 1},
		{"preflight", "OPTIONS", login, ``, []string{"Origin: http://localhost:5173", "Access-Control-Request-Method: POST"}, 204, 0, 0},
		{"404", "GET", "/api/v1/nope", "", nil, 404, 1, 0},
		{"405", "GET", login, "", nil, 405, 1, 0},
		{"bad token", "GET", "/api/v1/items/1", "", []string{"Authorization: Bearer x"}, 401, 1, 0},
		{"other route", "POST", "/api/v1/echo", `{`, nil, 400, 1, 0},
		{"probe", "GET", "/ready", "", nil, 200, 0, 0},
	}
	for _, c := range cases {
		counted, charged := gate.counted.Load(), gate.charged.Load()
		a := bed.ask(t, c.method, c.path, c.body, c.headers...)
		counted, charged = gate.counted.Load()-counted, gate.charged.Load()-charged
		if a.StatusCode != c.status || counted != c.counted || charged != c.charged {
			t.Errorf("%s: got %d, counted %d, charged %d, want %d, %d, %d", c.name, a.StatusCode, counted, charged, c.status, c.counted, c.charged)
		}
	}
	for _, kind := range []string{"error", "panic"} { // our failure is not free either
		before := gate.charged.Load()
		if a := bed.ask(t, "GET", "/api/v1/fault/"+kind, ""); a.StatusCode != 500 || gate.charged.Load() != before+1 {
			t.Errorf("%s: got %d, charged %d, want 500, 1", kind, a.StatusCode, gate.charged.Load()-before)
		}
	}
	gate.limit = 0
	for _, kind := range []string{"error", "panic"} {
		if a := bed.ask(t, "GET", "/api/v1/fault/"+kind, ""); a.StatusCode != 429 || a.Problem.Code != "rate_limited" || a.Problem.RequestID == "" {
			t.Errorf("%s over the limit: got %d %s, want 429 rate_limited", kind, a.StatusCode, a.Text)
		}
	}
	for _, body := range []string{`{`, `{"name":"a","x":1}`} {
		if a := bed.ask(t, "POST", login, body); a.StatusCode != 429 || a.Header.Get("Retry-After") != "3600" {
			t.Errorf("malformed sign-in over the limit: got %d retry %q, want 429 3600", a.StatusCode, a.Header.Get("Retry-After"))
		}
	}
	if a := bed.ask(t, "POST", login, `{"name":"a"}`); a.StatusCode != 200 {
		t.Errorf("well-formed sign-in: got %d, want 200: the api policy is not its own", a.StatusCode)
	}
}
