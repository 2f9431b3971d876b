package limit

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What Redis told of a lock counts for a moment, one request at a time asks
// again, and the lock's last moments are not ours to time.
func TestASeenLockCountsForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slack = 200 * time.Millisecond
		m, p := NewMemory(time.Hour, 0), Policies(Published())[Login]
		seen := func(when string, want bool) {
			t.Helper()
			if d, got := m.CachedLock(p, "192.0.2.1", slack); got != want || got && d.Verdict != Locked {
				t.Errorf("%s: got %v, %v, want %v", when, got, d.Verdict, want)
			}
		}
		seen("never told of", false)
		time.Sleep(time.Second)
		m.Hold(p, "192.0.2.1", 10*time.Second)
		seen("from the database, not from Redis", false)

		m.CacheLock(p, "192.0.2.1", 10*time.Second, slack)
		seen("just now", true)
		time.Sleep(askAgain - time.Millisecond)
		seen("a moment ago", true)
		time.Sleep(time.Millisecond)
		seen("who goes to ask", false)
		seen("who comes meanwhile", true)
		time.Sleep(trustFor - askAgain)
		seen("nobody came back", false)
		seen("nobody came back, another", false)

		for range 9 {
			m.CacheLock(p, "192.0.2.1", 9*time.Second, slack)
		}
		time.Sleep(askAgain - time.Millisecond)
		m.CacheLock(p, "192.0.2.1", 201*time.Millisecond, slack)
		if d, ok := m.KnownLock(p, "192.0.2.1"); !ok || d.Retry < 8*time.Second {
			t.Errorf("a shorter word: got %v, %v, want the longer end kept", d.Retry, ok)
		}
		if was, err := m.Lift(t.Context(), p, "192.0.2.1"); !was || err != nil {
			t.Errorf("lift: got %v, %v", was, err)
		}
		seen("lifted here", false)
		m.CacheLock(p, "192.0.2.1", 201*time.Millisecond, slack)
		seen("before its last moments", true)
		time.Sleep(time.Millisecond)
		seen("in its last moments", false)
	})
}

// The end that is told does not move by what answers take on their way.
func TestASeenLocksEndDoesNotCreep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := NewMemory(time.Hour, 0), Policies(Published())[Login]
		end := time.Now().Add(p.Lock)
		last := p.Lock + time.Second
		for way := range 40 {
			rest := time.Until(end)
			time.Sleep(time.Duration(way*7%40) * time.Millisecond) // the answer's way here
			m.CacheLock(p, "192.0.2.1", rest, 200*time.Millisecond)
			d, _ := m.KnownLock(p, "192.0.2.1")
			if d.Retry > last {
				t.Fatalf("answer %d: %v to go, before it were %v", way, d.Retry, last)
			}
			last = d.Retry
			time.Sleep(time.Millisecond)
		}
	})
}

// calls is how often Redis was asked to begin.
func calls(t *testing.T, reg *prometheus.Registry) uint64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "redis_call_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == "begin" {
				return m.GetHistogram().GetSampleCount()
			}
		}
	}
	return 0
}

// LK28: hammering on a lock asks Redis hardly more often than not hammering, and
// is counted all the same.
func TestHammeringOnALockIsNoStorm(t *testing.T) {
	s := startServer(t)
	reg := prometheus.NewRegistry()
	o := options()
	o.Redis.URL = s.url
	g, err := Open(t.Context(), o, nil, reg, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	lockOut(t, g, "192.0.2.1")
	before, sent := calls(t, reg), 0
	for end := time.Now().Add(1600 * time.Millisecond); time.Now().Before(end); sent += 8 {
		var beside sync.WaitGroup
		for range 8 {
			beside.Go(func() {
				ctx, h := from(t.Context(), "192.0.2.1")
				err := g.Known(ctx, Login)
				if err == nil {
					_, err = g.Enter(ctx, Login)
				}
				if p := problemOf(t, err); p.Code != "locked_out" || p.RetryAfter < 898 || h.Get("X-RateLimit-Remaining") != "0" {
					t.Errorf("got %s, Retry-After %d, %s left", p.Code, p.RetryAfter, h.Get("X-RateLimit-Remaining"))
				}
			})
		}
		beside.Wait()
	}
	if got := calls(t, reg) - before; got > 4 || got < 1 {
		t.Errorf("%d refusals asked Redis %d times in 1.6 s, want once each %v", sent, got, askAgain)
	}
}

// A lock that an admin lifts on one replica is lifted on the others within a
// second, however hard its address hammers.
func TestALiftIsNoticedWithinASecond(t *testing.T) {
	s := startServer(t)
	first, second := shared(t, s, newTable(), nil, nil), shared(t, s, newTable(), nil, nil)
	lockOut(t, first, "192.0.2.1")
	for range 10 {
		if code, _ := attempt(t, second, "192.0.2.1"); code != "locked_out" {
			t.Fatalf("the other replica: got %q, want locked_out", code)
		}
	}
	ctx, _ := from(t.Context(), "192.0.2.9")
	if was, err := first.Lift(ctx, Login, "192.0.2.1"); !was || err != nil {
		t.Fatalf("lift: got %v, %v", was, err)
	}
	ctx, _ = from(t.Context(), "192.0.2.1")
	if err := first.Known(ctx, Login); err != nil {
		t.Errorf("where it was lifted: got %v, want no lock known", err)
	}
	if code, _ := attempt(t, first, "192.0.2.1"); code != "" {
		t.Errorf("where it was lifted: got %q, want judged", code)
	}
	took := eventually(t, "lifted on the other replica", trustFor+busyMachine, func() bool {
		ctx, _ := from(t.Context(), "192.0.2.1")
		if second.Known(ctx, Login) != nil {
			return false
		}
		code, _ := attempt(t, second, "192.0.2.1")
		return code == ""
	})
	t.Logf("noticed after %v", took)
}

// The lock ends when Redis says so: never before, and at once after, on the
// replica that answers from what it saw as on any other.
func TestASeenLockEndsInTime(t *testing.T) {
	s := startServer(t)
	f := newFallback(openRedis(t, s.url, nil), NewMemory(time.Hour, 0), Options{Replicas: 2}, newMetrics(nil), slog.New(slog.DiscardHandler))
	f.redis.timeout = 200 * time.Millisecond
	p := Policy{Name: Login, Limit: 1, Window: 5 * time.Second, Lock: 1500 * time.Millisecond, Failures: true}
	c := s.client()
	defer c.Close()
	for round := range 3 {
		key := fmt.Sprint("192.0.2.", round)
		if d, err := f.Begin(t.Context(), p, key, "a"); err != nil || d.Verdict != Allowed {
			t.Fatalf("got %v, %v", d.Verdict, err)
		}
		if _, err := f.Commit(t.Context(), p, key, "a", Failed, "u"); err != nil {
			t.Fatal(err)
		}
		if d, err := f.Begin(t.Context(), p, key, "b"); err != nil || d.Verdict != LockedNow {
			t.Fatalf("got %v, %v", d.Verdict, err)
		}
		for n := 0; ; n++ {
			gone := c.Exists(t.Context(), redisKey(key, Login, "l")).Val() == 0 // before we ask
			d, locked := f.KnownLock(p, key)
			if !locked {
				var err error
				if d, err = f.Begin(t.Context(), p, key, fmt.Sprint("c", n)); err != nil {
					t.Fatal(err)
				}
			}
			if gone && d.Verdict != Allowed {
				t.Fatalf("round %d: got %v although Redis holds no lock any more", round, d.Verdict)
			}
			if d.Verdict == Allowed {
				if rest := c.PTTL(t.Context(), redisKey(key, Login, "l")).Val(); rest > time.Millisecond {
					t.Fatalf("round %d: let through while Redis holds the lock for %v more", round, rest)
				}
				break
			}
		}
	}
}
