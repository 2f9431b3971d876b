package limit

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

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

// LK27: an attempt whose client hangs up is judged all the same.
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

// The api policy counts by user, else by address; a count that is moved leaves the
// user as before.
func TestCountAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(t, options())
		count := func(user int64) error {
			ctx, _ := from(t.Context(), "192.0.2.1")
			_, err := g.CountAPI(ctx, user)
			return err
		}
		for i := range 300 { // ended sessions of user 7, from elsewhere
			ctx, _ := from(t.Context(), "198.51.100.1")
			toAddress, err := g.CountAPI(ctx, 7)
			if err != nil {
				t.Fatalf("ended session %d: got %v, want the user's count untouched", i, err)
			}
			if err := toAddress(ctx); (err == nil) != (i < 100) {
				t.Errorf("ended session %d: got %v at the address, want 100 let through", i, err)
			}
		}
		for range 100 {
			if err := count(7); err != nil {
				t.Fatal(err)
			}
		}
		if p := problemOf(t, count(7)); p.Status != 429 || p.RetryAfter != 3600 {
			t.Errorf("the 101st: got %d, retry after %d, want 429, 3600", p.Status, p.RetryAfter)
		}
		if err := errors.Join(count(8), count(0)); err != nil {
			t.Errorf("another user, and nobody: got %v, want both counted", err)
		}
	})
}
