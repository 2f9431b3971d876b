package server

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/web"
)

// LK28: what is refused whatever the body says is refused before it is read, with
// all that an answer carries, and is not charged as a malformed request.
func TestEarlyRefusalsReadNoBody(t *testing.T) {
	gate := &fakeGate{limit: 1 << 30}
	const login = "POST /api/v1/auth/login"
	refusal := web.Fail(http.StatusTooManyRequests, "locked_out", "Wait.").WithRetry(time.Minute)
	bed := newTestbed(t, func(d *Deps) {
		d.Gate, d.OwnPolicy = gate, []string{login}
		d.Early = map[string]func(context.Context) error{login: func(ctx context.Context) error {
			web.Header(ctx).Set("X-RateLimit-Remaining", "0")
			return refusal
		}}
	})
	for what, body := range map[string]string{
		"a good one": `{"name":"a"}`, "no JSON": `{`, "too large": strings.Repeat(" ", 5<<10), "none": "",
	} {
		a := bed.ask(t, "POST", "/api/v1/auth/login", body)
		if a.StatusCode != 429 || a.Problem.Code != "locked_out" || a.Header.Get("Retry-After") != "60" ||
			a.Header.Get("X-RateLimit-Remaining") != "0" || a.Problem.RequestID == "" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("body %s: got %d %+v, headers %v", what, a.StatusCode, a.Problem, a.Header)
		}
	}
	if got := gate.counted.Load(); got != 0 {
		t.Errorf("counted: got %d requests, want none", got)
	}
	if a := bed.ask(t, "GET", "/api/v1/auth/login", ""); a.StatusCode != 405 {
		t.Errorf("another method: got %d, want 405", a.StatusCode)
	}
	refusal = web.Fail(http.StatusServiceUnavailable, "hash_capacity", "Later.").WithRetry(time.Second)
	before := strings.Count(bed.log.String(), "\n")
	if a := bed.ask(t, "POST", "/api/v1/auth/login", `{}`); a.StatusCode != 503 || a.Problem.Code != "hash_capacity" {
		t.Errorf("got %d %s, want 503 hash_capacity", a.StatusCode, a.Problem.Code)
	}
	for end := time.Now().Add(5 * time.Second); strings.Count(bed.log.String(), "\n") == before && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if got := strings.Count(bed.log.String(), "\n") - before; got != 1 {
		t.Errorf("lines in the log for a 503: got %d, want the access line alone", got)
	}
}

func TestEarlyChecksOfNoRouteAreAMistake(t *testing.T) {
	_, err := New(testConfig(t), Deps{
		Registry: prometheus.NewRegistry(), Register: []func(huma.API){testOperations},
		Early: map[string]func(context.Context) error{"POST /api/v1/nowhere": nil},
	})
	if err == nil || !strings.Contains(err.Error(), "POST /api/v1/nowhere") {
		t.Errorf("got %v, want the pattern named", err)
	}
}
