package limit

import (
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// LK12: a server that hangs costs the timeout, then nothing;
// every replica judges at most its share, says once that it is degraded, and is
// back within two seconds.
func TestAHungRedisIsNeitherOpenNorSlowNorSilent(t *testing.T) {
	s := startServer(t)
	book := newLogbook()
	g := shared(t, s, newTable(), slog.New(book), func(o *Options) { o.Replicas = 2 })
	lockOut(t, g, "192.0.2.1")

	s.signal(syscall.SIGSTOP)
	judged, slowest := 0, time.Duration(0)
	for range 40 {
		start := time.Now()
		if code, _ := attempt(t, g, "192.0.2.2"); code == "" {
			judged++
		} else if code != "locked_out" {
			t.Errorf("got %s, want locked_out", code)
		}
		slowest = max(slowest, time.Since(start))
		if code, _ := attempt(t, g, "192.0.2.1"); code != "locked_out" {
			t.Errorf("locked before, now %q", code)
		}
	}
	if judged > 2 { // half of 5, rounded down
		t.Errorf("judged while degraded: got %d, want at most 2", judged)
	}
	if slowest > 2*defaultRedisTimeout+busyMachine { // begin and commit
		t.Errorf("slowest attempt: got %v, want at most two timeouts of %v", slowest, defaultRedisTimeout)
	}
	if got := testutil.ToFloat64(g.metrics.degraded); got != 1 {
		t.Errorf("rate_limit_degraded: got %v, want 1", got)
	}
	if got := book.count(slog.LevelError); got != 1 {
		t.Errorf("ERROR lines: got %d, want 1", got)
	}
	if testutil.ToFloat64(g.metrics.errors) == 0 {
		t.Error("ratelimit_backend_errors_total: got 0")
	}

	s.signal(syscall.SIGCONT)
	took := eventually(t, "recovery", 2*time.Second, func() bool { return testutil.ToFloat64(g.metrics.degraded) == 0 })
	t.Logf("recovered after %v", took)
	c := s.client()
	defer c.Close()
	for _, ip := range []string{"192.0.2.1", "192.0.2.2"} {
		if c.PTTL(t.Context(), redisKey(ip, Login, "l")).Val() <= 0 {
			t.Errorf("lock of %s is not in Redis after the recovery", ip)
		}
	}
	if got := book.count(slog.LevelError); got != 1 {
		t.Errorf("ERROR lines after the recovery: got %d, want 1", got)
	}
}

// An attacker gains nothing by a Redis that fails in the middle: what this process
// has judged, and is judging, stays known here.
func TestAFailureInTheMiddleGrantsNothing(t *testing.T) {
	s := startServer(t)
	g := shared(t, s, nil, nil, nil)
	for range 3 {
		if code, _ := attempt(t, g, "192.0.2.1"); code != "" {
			t.Fatalf("got %s, want judged", code)
		}
	}
	ctx, _ := from(t.Context(), "192.0.2.1")
	inFlight, err := g.Enter(ctx, Login)
	if err != nil {
		t.Fatal(err)
	}
	s.kill()
	if code, _ := attempt(t, g, "192.0.2.1"); code != "" {
		t.Errorf("fifth: got %s, want judged", code)
	}
	inFlight.Fail(ctx, "mallory")
	if code, _ := attempt(t, g, "192.0.2.1"); code != "locked_out" {
		t.Errorf("sixth: got %q, want locked_out", code)
	}
	s.start()
	c := s.client()
	defer c.Close()
	eventually(t, "the lock is written to Redis", 4*time.Second, func() bool {
		return c.PTTL(t.Context(), redisKey("192.0.2.1", Login, "l")).Val() > 0
	})
}

// Recovery takes less than two seconds after the longest pause too, and without
// any traffic.
func TestRecoveryAfterAStop(t *testing.T) {
	s := startServer(t)
	g := shared(t, s, newTable(), nil, nil)
	s.stop()
	eventually(t, "degradation", 10*time.Second, func() bool { return g.fallback.degraded() })
	time.Sleep(3 * time.Second)
	s.start()
	t.Logf("recovered after %v", eventually(t, "recovery", 2*time.Second, func() bool { return !g.fallback.degraded() }))
}

// A full server refuses writes but answers: degraded, and not flapping.
func TestAFullRedisIsNoRedis(t *testing.T) {
	s := startServer(t)
	book := newLogbook()
	g := shared(t, s, nil, slog.New(book), func(o *Options) { o.Quotas.API.Limit = 1000 })
	c := s.client()
	defer c.Close()
	if err := c.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		ctx, _ := from(t.Context(), "192.0.2.1")
		if err := g.Count(ctx, API); err != nil {
			t.Errorf("got %v, want counted here", err)
		}
	}
	lockOut(t, g, "192.0.2.1")
	time.Sleep(2 * time.Second)
	if got := book.count(slog.LevelError); got != 1 {
		t.Errorf("ERROR lines: got %d, want 1", got)
	}
	if err := c.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "recovery", 2*time.Second, func() bool { return !g.fallback.degraded() })
}

// The modes, with a server that is not there from the start.
func TestFailureModes(t *testing.T) {
	s := startServer(t)
	s.kill()
	for _, c := range []struct {
		mode              Failure
		login, reset, api string
	}{
		{mode: "", login: "", reset: "", api: ""},
		{mode: FailLocal, login: "", reset: "", api: ""},
		{mode: FailClosed, login: "limiter_unavailable", reset: "limiter_unavailable", api: ""},
		{mode: FailOpen, login: "", reset: "", api: ""},
	} {
		t.Run(string("mode "+c.mode), func(t *testing.T) {
			g := shared(t, s, nil, nil, func(o *Options) { o.Redis.Failure = c.mode; o.Quotas.API.Limit = 1 })
			code := func(err error) string {
				if err == nil {
					return ""
				}
				return problemOf(t, err).Code
			}
			ctx, _ := from(t.Context(), "192.0.2.1")
			_, err := g.Enter(ctx, Login)
			if got := code(err); got != c.login {
				t.Errorf("login: got %q, want %q", got, c.login)
			}
			if got := code(g.Count(ctx, PasswordReset)); got != c.reset {
				t.Errorf("password reset: got %q, want %q", got, c.reset)
			}
			if got := code(g.Count(ctx, API)); got != c.api {
				t.Errorf("api: got %q, want %q", got, c.api)
			}
			want := "rate_limited"
			if c.mode == FailOpen {
				want = ""
			}
			if got := code(g.Count(ctx, API)); got != want {
				t.Errorf("api over its limit: got %q, want %q", got, want)
			}
		})
	}
}

// A call that Redis does not answer in time is let pass without a word on what is left:
// this process has not counted the requests before it.
func TestASingleSlowCallTellsNoRemainder(t *testing.T) {
	s := startServer(t)
	for _, mode := range []Failure{FailLocal, FailOpen} {
		t.Run(string(mode), func(t *testing.T) {
			g := shared(t, s, nil, nil, func(o *Options) { o.Redis.Failure = mode })
			left := func() string {
				ctx, h := from(t.Context(), "192.0.2.1")
				h.Set("X-RateLimit-Remaining", "100") // as a policy before it left it
				h.Set("RateLimit", `"api";r=100;t=0`)
				if err := g.Count(ctx, API); err != nil {
					t.Fatalf("got %v, want counted", err)
				}
				if h.Get("X-RateLimit-Limit") != "100" {
					t.Errorf("got limit %q, want 100", h.Get("X-RateLimit-Limit"))
				}
				return h.Get("X-RateLimit-Remaining") + " " + h.Get("RateLimit")
			}
			before := left()
			s.signal(syscall.SIGSTOP)
			during := left()
			s.signal(syscall.SIGCONT)
			if before == " " || during != " " {
				t.Errorf("got %q, then %q while Redis hung; want a number, then none", before, during)
			}
		})
	}
}

// A database that does not answer leaves locks unsaved, not forgotten.
func TestUnsavedLocksAreSavedLater(t *testing.T) {
	s := startServer(t)
	locks := newTable()
	g := shared(t, s, locks, nil, nil)
	locks.fail(errors.New("down"))
	lockOut(t, g, "192.0.2.1")
	time.Sleep(50 * time.Millisecond)
	locks.fail(nil)
	eventually(t, "lock saved", 3*time.Second, func() bool { l, _ := locks.Live(t.Context()); return len(l) == 1 })
	if was, err := g.Lift(t.Context(), Login, "192.0.2.1"); !was || err != nil {
		t.Fatalf("lift: got %v, %v", was, err)
	}
	eventually(t, "lift saved", 3*time.Second, func() bool { l, _ := locks.Live(t.Context()); return len(l) == 0 })
}
