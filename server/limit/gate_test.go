package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

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

// LK13 and trap 2: colleagues behind one address wait for each other, and nobody
// is locked out.
func TestColleaguesWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		var refused atomic.Int64
		var done sync.WaitGroup
		for i := range 50 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.1")
				a, err := g.Enter(ctx, Login)
				if err != nil {
					refused.Add(1)
					return
				}
				time.Sleep(100 * time.Millisecond) // the hash
				a.Pass(ctx, fmt.Sprint("user", i))
			})
		}
		start := time.Now()
		done.Wait()
		if refused.Load() != 0 {
			t.Errorf("refused: got %d of 50, want none", refused.Load())
		}
		within(t, "all 50, five at a time", time.Since(start), time.Second, 0)
	})
}

// Who waits longer than SlotWait is refused, without a lock.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		var slots []*Attempt
		for range 5 {
			a, err := g.Enter(ctx, Login)
			if err != nil {
				t.Fatal(err)
			}
			slots = append(slots, a)
		}
		start := time.Now()
		_, err := g.Enter(ctx, Login)
		p := problemOf(t, err)
		if p.Code != "too_many_concurrent_attempts" || p.Status != 429 || h.Get("Retry-After") != "1" || h.Get("X-RateLimit-Remaining") != "5" {
			t.Errorf("got %d %s, Retry-After %s, Remaining %s", p.Status, p.Code, h.Get("Retry-After"), h.Get("X-RateLimit-Remaining"))
		}
		within(t, "waited", time.Since(start), 3*time.Second, 0)
		slots[0].Release(ctx)
		if _, err := g.Enter(ctx, Login); err != nil {
			t.Errorf("after a release: got %v, want a slot", err)
		}
	})
}

// asked counts the questions to a limiter.
type asked struct {
	engine
	begins atomic.Int64
}

func (a *asked) Begin(ctx context.Context, p Policy, key, id string) (Decision, error) {
	a.begins.Add(1)
	return a.engine.Begin(ctx, p, key, id)
}

// Two hundred who wait ask hardly more often than one.
func TestWaitingIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		counter := &asked{engine: g.accounts.(*Memory)}
		g.limiter = counter
		ctx, _ := from(t.Context(), "192.0.2.1")
		for range 5 {
			if _, err := g.Enter(ctx, Login); err != nil {
				t.Fatal(err)
			}
		}
		var done sync.WaitGroup
		for range 200 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.1")
				_, _ = g.Enter(ctx, Login)
			})
		}
		done.Wait()
		// One look each at most when coming and going, and the head's looks.
		if got := counter.begins.Load(); got > 5+2*200+30 {
			t.Errorf("questions: got %d, want at most 435", got)
		}
		if len(g.lines.at) != 0 {
			t.Errorf("lines left: got %d, want none", len(g.lines.at))
		}
	})
}

// LK8 at the gate: exactly five of 200 at once are judged.
func TestTrap01_AtTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		var judged, locked atomic.Int64
		var done sync.WaitGroup
		for range 200 {
			done.Go(func() {
				ctx, _ := from(t.Context(), "192.0.2.1")
				a, err := g.Enter(ctx, Login)
				if err != nil {
					if problemOf(t, err).Code == "locked_out" {
						locked.Add(1)
					}
					return
				}
				time.Sleep(60 * time.Millisecond)
				judged.Add(1)
				a.Fail(ctx, "mallory")
			})
		}
		done.Wait()
		if judged.Load() != 5 || locked.Load() != 195 {
			t.Errorf("got %d judged, %d locked; want 5, 195", judged.Load(), locked.Load())
		}
	})
}

// LK27: who hangs up is judged all the same.
func TestHangingUpIsNoRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		for range 5 {
			ctx, hangUp := context.WithCancel(t.Context())
			ctx, _ = from(ctx, "192.0.2.1")
			a, err := g.Enter(ctx, Login)
			if err != nil {
				t.Fatal(err)
			}
			hangUp()
			a.Fail(ctx, "mallory")
		}
		ctx, _ := from(t.Context(), "192.0.2.1")
		if _, err := g.Enter(ctx, Login); err == nil {
			t.Error("sixth: got judged, want locked out")
		}
	})
}

// Only the first outcome of an attempt counts.
func TestOneOutcomePerAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		a, err := g.Enter(ctx, Login)
		if err != nil {
			t.Fatal(err)
		}
		a.Fail(ctx, "mallory")
		a.Pass(ctx, "mallory")
		a.Release(ctx)
		if got := h.Get("X-RateLimit-Remaining"); got != "4" {
			t.Errorf("remaining: got %s, want 4", got)
		}
	})
}

// Trap 7: a refusal says nothing of the credential, nor of why.
func TestTrap07_RefusalsAreAlike(t *testing.T) {
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
			g.ThrottleFail(other, "alice@clinic.test")
		}
		throttled := g.Throttle(ctx, "alice@clinic.test", false)
		for name, err := range map[string]error{"lock in force": inForce, "account throttled": throttled} {
			if diff := cmp.Diff(body(started), body(err)); diff != "" {
				t.Errorf("%s differs from a lock starting (-want +got):\n%s", name, diff)
			}
		}
	})
}

// Trap 15: headers on success too, Retry-After never 0 and never too early.
func TestTrap15_RetryAfterIsTheTruth(t *testing.T) {
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

// Trap 14: what has no route counts, however it is spelt, and the pattern decides.
func TestTrap14_NoPathIsExempt(t *testing.T) {
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

// A request denied under one key is not counted under the other.
func TestCountUnderTwoKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		for range 5 {
			if err := g.Count(ctx, PasswordChange, UserKey(7), g.ClientKey(ctx)); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 { // another user: the address is used up
			if err := g.Count(ctx, PasswordChange, UserKey(8), g.ClientKey(ctx)); err == nil {
				t.Fatal("got counted, want refused")
			}
		}
		other, h2 := from(t.Context(), "192.0.2.2")
		if err := g.Count(other, PasswordChange, UserKey(8), g.ClientKey(other)); err != nil {
			t.Errorf("elsewhere: got %v, want counted", err)
		}
		if h.Get("X-RateLimit-Remaining") != "0" || h2.Get("X-RateLimit-Remaining") != "4" {
			t.Errorf("remaining: got %s and %s, want 0 and 4", h.Get("X-RateLimit-Remaining"), h2.Get("X-RateLimit-Remaining"))
		}
	})
}

func TestGateLift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, _ := from(t.Context(), "2001:db8::1")
		for range 6 {
			if a, err := g.Enter(ctx, Login); err == nil {
				a.Fail(ctx, "mallory")
			}
		}
		for _, c := range []struct {
			policy, ip string
			was        bool
			status     int
		}{
			{"nonsense", "2001:db8::1", false, 404},
			{Login, "nonsense", false, 422},
			{TwoFactor, "2001:db8::1", false, 0},
			{Login, "2001:db8::2", true, 0}, // of the same /64
			{Login, "2001:db8::/64", false, 0},
		} {
			was, err := g.Lift(ctx, c.policy, c.ip)
			status := 0
			if err != nil {
				status = problemOf(t, err).Status
			}
			if was != c.was || status != c.status {
				t.Errorf("lift %s of %s: got %v, %d; want %v, %d", c.policy, c.ip, was, status, c.was, c.status)
			}
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
			g.ThrottleFail(ctx, "alice@clinic.test")
		}
		a, err := g.Enter(ctx, Login)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Throttle(ctx, "alice@clinic.test", false); err == nil {
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

// The second factor passed: the failures before the password was right go too.
func TestForgive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		ctx, h := from(t.Context(), "192.0.2.1")
		for range 3 {
			a, err := g.Enter(ctx, Login)
			if err != nil {
				t.Fatal(err)
			}
			a.Fail(ctx, "Alice@clinic.test ")
		}
		g.Forgive(ctx, Login, "alice@clinic.test")
		a, err := g.Enter(ctx, Login)
		if err != nil {
			t.Fatal(err)
		}
		a.Release(ctx)
		if got := h.Get("X-RateLimit-Remaining"); got != "5" {
			t.Errorf("remaining: got %s, want 5", got)
		}
	})
}

func TestOffAllowsAllAndSaysSo(t *testing.T) {
	book := newLogbook()
	o := options()
	o.Off = true
	g, err := Open(t.Context(), o, nil, nil, slog.New(book))
	if err != nil {
		t.Fatal(err)
	}
	if book.count(slog.LevelWarn) != 1 {
		t.Error("nothing was said")
	}
	ctx, h := from(t.Context(), "192.0.2.1")
	for range 50 {
		a, err := g.Enter(ctx, Login)
		if err != nil {
			t.Fatal(err)
		}
		a.Fail(ctx, "mallory")
		g.ThrottleFail(ctx, "alice")
		if err := errors.Join(g.Count(ctx, PasswordReset), g.Throttle(ctx, "alice", false)); err != nil {
			t.Fatal(err)
		}
	}
	if len(h) != 0 {
		t.Errorf("headers: got %v, want none", h)
	}
}

// Trap 11 in one process: a restart is no amnesty either, if locks have a place.
func TestTrap11_ARestartIsNoAmnesty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := newTable()
		run := func() (*Gate, func()) {
			g, err := Open(t.Context(), options(), locks, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- g.Run(ctx) }()
			return g, func() { cancel(); <-done }
		}
		g, stop := run()
		lockOut(t, g, "192.0.2.1")
		stop()
		time.Sleep(100 * time.Second)
		g, stop = run()
		defer stop()
		code, retry := attempt(t, g, "192.0.2.1")
		if code != "locked_out" || retry != 800*time.Second {
			t.Errorf("after a restart: got %q for %v, want locked_out for 800 s", code, retry)
		}
	})
}

// LK30: the metrics count each request once.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		g, err := Open(t.Context(), options(), nil, reg, nil)
		if err != nil {
			t.Fatal(err)
		}
		lockOut(t, g, "192.0.2.1")
		for range 3 {
			attempt(t, g, "192.0.2.1")
		}
		ctx, _ := from(t.Context(), "192.0.2.1")
		for range 4 {
			_ = g.Count(ctx, PasswordReset)
		}
		want := `
# HELP ratelimit_decisions_total Requests that a limit policy decided on.
# TYPE ratelimit_decisions_total counter
ratelimit_decisions_total{decision="allowed",policy="login"} 5
ratelimit_decisions_total{decision="allowed",policy="password_reset"} 3
ratelimit_decisions_total{decision="denied",policy="password_reset"} 1
ratelimit_decisions_total{decision="locked",policy="login"} 3
ratelimit_decisions_total{decision="locked_now",policy="login"} 1
# HELP ratelimit_lockouts_total Locks started.
# TYPE ratelimit_lockouts_total counter
ratelimit_lockouts_total{policy="login"} 1
`
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "ratelimit_decisions_total", "ratelimit_lockouts_total"); err != nil {
			t.Error(err)
		}
		if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
			t.Errorf("lint: got %v, %v", problems, err)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := Open(t.Context(), Options{IPv6Prefix: 200}, nil, nil, nil)
	for _, want := range []string{"limit login", "limit api", "IPv6 prefix", "secret"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %q", err, want)
		}
	}
}
