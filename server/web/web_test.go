package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vitals/server/web"
)

func TestProblemOnTheWire(t *testing.T) {
	cause := errors.New("canary of the cause")
	p := web.Fail(http.StatusTooManyRequests, "locked_out", "Wait.").WithRetry(1500 * time.Millisecond).Because(cause)
	r := httptest.NewRequest("GET", "/api/v1/x%20y?secret=canary", nil)
	r = r.WithContext(web.WithRequestID(r.Context(), "probe-0123456789ab"))
	w := httptest.NewRecorder()
	p.Write(w, r)

	var got web.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d, headers %v, want 429, Retry-After 2 (rounded up) and problem+json", w.Code, w.Header())
	}
	if got.RequestID != "probe-0123456789ab" || got.Instance != "/api/v1/x%20y" || got.RetryAfter != 2 || got.Title != "Too Many Requests" {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(w.Body.String(), "canary") {
		t.Errorf("the cause or the query is on the wire: %s", w.Body)
	}
	if !errors.Is(fmt.Errorf("wrapped: %w", p), cause) || !strings.Contains(p.Error(), "canary") {
		t.Error("the cause is lost for the log")
	}
	if p.RequestID != "" {
		t.Error("answering changed the problem, which may be shared")
	}
}

func TestRetryIsAtLeastASecond(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 1, time.Millisecond: 1, time.Second: 1, time.Second + 1: 2, 900 * time.Second: 900} {
		if got := web.Fail(429, "x", "").WithRetry(d).RetryAfter; got != want {
			t.Errorf("%v: got %d, want %d", d, got, want)
		}
	}
}

func TestNobodyIsSignedInByDefault(t *testing.T) {
	ctx := t.Context()
	if _, ok := web.PrincipalFrom(ctx); ok {
		t.Error("got a principal from an empty context")
	}
	ctx = web.WithPrincipal(ctx, web.Principal{UserID: 7})
	if p, ok := web.PrincipalFrom(ctx); !ok || p.UserID != 7 {
		t.Errorf("got %+v %v, want user 7", p, ok)
	}
	if _, ok := web.PrincipalFrom(web.WithPrincipal(ctx, web.Principal{})); ok {
		t.Error("got a principal after signing out")
	}
	if web.RequestID(ctx) != "" || web.ClientIP(ctx).IsValid() || web.Header(ctx) == nil {
		t.Error("a context outside a request should have no ID, no address and a throw-away header")
	}
}
