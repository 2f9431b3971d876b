package limit

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

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
		g.Account("alice").Fail(ctx)
		if err := errors.Join(g.Count(ctx, PasswordReset), throttle(ctx, g, "alice", false)); err != nil {
			t.Fatal(err)
		}
	}
	if len(h) != 0 {
		t.Errorf("headers: got %v, want none", h)
	}
}

// A restart lifts no lock either, where locks are saved.
func TestARestartLiftsNoLock(t *testing.T) {
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
