package limit

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

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

// A refusal says nothing of the credential, nor of why.
func TestRefusalsAreAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		body := func(err error) string {
			w := httptest.NewRecorder()
			p := problemOf(t, err)
			p.RetryAfter = 900
			p.Write(w, httptest.NewRequest("POST", "/api/v1/auth/login", nil))
			return w.Body.String()
		}
		ctx, _ := from(t.Context(), "192.0.2.1")
		for range 5 {
			a, err := g.Enter(ctx, Login)
			if err != nil {
				t.Fatal(err)
			}
			a.Fail(ctx, "mallory")
		}
		_, started := g.Enter(ctx, Login)
		_, inForce := g.Enter(ctx, Login)
		for i := range 20 {
			other, _ := from(t.Context(), fmt.Sprint("198.51.100.", i))
			g.Account("alice@clinic.test").Fail(other)
		}
		throttled := throttle(ctx, g, "alice@clinic.test", false)
		for name, err := range map[string]error{"lock in force": inForce, "account throttled": throttled} {
			if diff := cmp.Diff(body(started), body(err)); diff != "" {
				t.Errorf("%s differs from a lock starting (-want +got):\n%s", name, diff)
			}
		}
	})
}

// Headers on success too, Retry-After never 0 and never too early.
func TestRetryAfterIsTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		for range 3 {
			if err := g.Count(ctx, PasswordReset); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1500 * time.Millisecond)
		}
		if h.Get("X-RateLimit-Remaining") != "0" || h.Get("Retry-After") != "" {
			t.Errorf("on success: got Remaining %q, Retry-After %q; want 0 and none",
				h.Get("X-RateLimit-Remaining"), h.Get("Retry-After"))
		}
		time.Sleep(3600*time.Second - 5*time.Second)
		p := problemOf(t, g.Count(ctx, PasswordReset))
		if p.RetryAfter != 1 { // half a second is left
			t.Errorf("Retry-After: got %d, want 1", p.RetryAfter)
		}
		at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil || time.Until(time.Unix(at, 0)) <= 0 {
			t.Errorf("reset: got %s, want later than now", h.Get("X-RateLimit-Reset"))
		}
		time.Sleep(time.Duration(p.RetryAfter) * time.Second)
		if err := g.Count(ctx, PasswordReset); err != nil {
			t.Errorf("after Retry-After: got %v, want counted", err)
		}
	})
}

// A refusal by the account throttle reads as a lock does, its headers too, though
// the slot is given back after it.
func TestAReleaseLeavesTheRefusalsHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		for range 20 {
			g.Account("alice@clinic.test").Fail(ctx)
		}
		a, err := g.Enter(ctx, Login)
		if err != nil {
			t.Fatal(err)
		}
		if err := throttle(ctx, g, "alice@clinic.test", false); err == nil {
			t.Fatal("got let through, want throttled")
		}
		a.Release(ctx)
		if h.Get("X-RateLimit-Remaining") != "0" || h.Get("Retry-After") != "30" {
			t.Errorf("got Remaining %s, Retry-After %s; want 0, 30", h.Get("X-RateLimit-Remaining"), h.Get("Retry-After"))
		}
	})
}

// An attack under a lock writes few lines.
func TestEventsAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newLogbook()
		g, err := Open(t.Context(), options(), nil, nil, slog.New(book))
		if err != nil {
			t.Fatal(err)
		}
		lockOut(t, g, "192.0.2.1")
		for range 100 {
			attempt(t, g, "192.0.2.1")
			time.Sleep(30 * time.Millisecond)
		}
		if got := book.count(slog.LevelWarn); got != 1+3 {
			t.Errorf("lines: got %d, want one start and three denials in three seconds", got)
		}
	})
}
