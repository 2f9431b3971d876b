package limitcheck_test

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

var login = limitcheck.Rule{Limit: 5, Window: 300 * time.Second, Lock: 900 * time.Second, Failures: true, Clears: true}

func afternoon(fault string, seed uint64, rule limitcheck.Rule) []limitcheck.Violation {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &sim{fault: fault, rule: rule, rng: rng, state: map[netip.Addr]*shelf{}}
	c := limitcheck.New(map[string]limitcheck.Rule{"login": rule}, limitcheck.Options{})
	for _, e := range s.play(plan(rng, rule)) {
		c.Add(e)
	}
	return c.Finish()
}

// Whatever a limiter that keeps its promise does, nobody is accused.
func TestHealthyLimiterIsNeverAccused(t *testing.T) {
	for _, rule := range []limitcheck.Rule{login, {Limit: 10, Window: 300 * time.Second, Lock: 900 * time.Second, Failures: true}, {Limit: 5, Window: 20 * time.Second, Lock: 5 * time.Second, Failures: true}} {
		for seed := range uint64(400) {
			if vs := afternoon("", seed, rule); len(vs) > 0 {
				t.Fatalf("seed %d, %+v: %d accusations of a healthy limiter:\n%v", seed, rule, len(vs), vs[0])
			}
		}
	}
}

// Each way to break the promise is seen, and under the invariant it breaks.
func TestBrokenLimiterIsAccused(t *testing.T) {
	for fault, want := range map[string]string{
		"racy": "J1", "widened": "J1", "clears all": "J1", "two replicas": "J1",
		"oracle": "J2", "forgets": "J2",
		"late":   "J3",
		"global": "J4", "sticky": "J4",
		"retry 0":  "J5",
		"generous": "J6", "stingy": "J6",
		"extends": "J7", "short": "J7",
	} {
		caught, runs := 0, 20
		var others []string
		for seed := range uint64(runs) {
			hit := false
			for _, v := range afternoon(fault, seed, login) {
				if v.Rule == want {
					hit = true
					if len(v.Shown) == 0 || !strings.Contains(v.String(), "sign in") {
						t.Errorf("%s: %v shows no request", fault, v)
					}
				} else {
					others = append(others, v.Rule)
				}
			}
			if hit {
				caught++
			}
		}
		if caught < runs*9/10 {
			t.Errorf("%s: %s caught in %d of %d afternoons (others seen: %v)", fault, want, caught, runs, others[:min(8, len(others))])
		}
	}
}

func TestSixthJudgedIsShownWithItsRequests(t *testing.T) {
	c := limitcheck.New(map[string]limitcheck.Rule{"login": login}, limitcheck.Options{})
	at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	for range 6 {
		c.Add(limitcheck.Event{Sent: at, Done: at.Add(40 * time.Millisecond), From: netip.MustParseAddr("127.0.0.9"), User: "a", Policy: "login",
			Status: 401, Limit: -1, Remaining: -1, RetryAfter: -1, ID: "id-1", Step: "guess"})
		at = at.Add(time.Second)
	}
	vs := c.Finish()
	if len(vs) != 1 || vs[0].Rule != "J1" || len(vs[0].Shown) != 6 || !strings.Contains(vs[0].String(), "id-1") {
		t.Errorf("got %v, want one J1 with six requests", vs)
	}
}

// A policy that counts requests: 100 in an hour by user, at the window's edge.
func TestRequestsPolicy(t *testing.T) {
	rule := limitcheck.Rule{Limit: 100, Window: time.Hour, By: limitcheck.User}
	at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	feed := func(admit int, gap time.Duration) []limitcheck.Violation {
		c := limitcheck.New(map[string]limitcheck.Rule{"api": rule}, limitcheck.Options{})
		at := at
		for i := range 220 {
			status := 200
			if i%(admit+10) >= admit {
				status = 429
			}
			e := limitcheck.Event{Sent: at, Done: at.Add(time.Millisecond), User: "u", Policy: "api", Status: status, Limit: 100, Remaining: -1, RetryAfter: -1}
			if status == 429 {
				e.RetryAfter = 3600
			}
			c.Add(e)
			at = at.Add(time.Second)
			if i%(admit+10) == admit+9 {
				at = at.Add(gap)
			}
		}
		return c.Finish()
	}
	if vs := feed(100, 2*time.Hour); len(vs) > 0 {
		t.Errorf("healthy: got %v", vs[0])
	}
	if vs := feed(101, 2*time.Hour); len(vs) == 0 || vs[0].Rule != "J1" {
		t.Errorf("101 admitted: got %v, want J1", vs)
	}
	if vs := feed(100, time.Minute); len(vs) == 0 || vs[0].Rule != "J1" {
		t.Errorf("fixed window, 200 at its edge: got %v, want J1", vs)
	}
	if vs := feed(60, 2*time.Hour); len(vs) == 0 || vs[0].Rule != "J4" {
		t.Errorf("refused after 60: got %v, want J4", vs)
	}
}

// An account under attack from everywhere is throttled by its own rule; the
// addresses are not blamed on the server.
func TestAccountThrottleIsNoViolation(t *testing.T) {
	rule := login
	rule.Account = 20
	c := limitcheck.New(map[string]limitcheck.Rule{"login": rule}, limitcheck.Options{})
	at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	for i := range 60 {
		e := limitcheck.Event{Sent: at, Done: at.Add(time.Millisecond), From: netip.AddrFrom4([4]byte{127, 9, 1, byte(i / 3)}), User: "victim",
			Policy: "login", Status: 401, Limit: -1, Remaining: -1, RetryAfter: -1}
		if i >= 20 {
			e.Status, e.RetryAfter = 429, 30
		}
		c.Add(e)
		at = at.Add(100 * time.Millisecond)
	}
	if vs := c.Finish(); len(vs) > 0 {
		t.Errorf("got %v, want none", vs[0])
	}
}

// An account that others have guessed at is throttled by promise: that its refusals
// are not those of other accounts says nothing of a lock on the address, unless the
// address has earned one.
func TestARefusalThatAnEarlierRunEarned(t *testing.T) {
	rule := login
	rule.Account = 20
	from := netip.MustParseAddr("127.0.0.9")
	for guesses, want := range map[int]int{0: 0, 5: 2} {
		c := limitcheck.New(map[string]limitcheck.Rule{"login": rule}, limitcheck.Options{Shared: true})
		at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
		add := func(user string, status, wait int) {
			c.Add(limitcheck.Event{Sent: at, Done: at.Add(40 * time.Millisecond), From: from, User: user, Policy: "login",
				Status: status, Limit: -1, Remaining: -1, RetryAfter: wait, Step: "guess"})
			at = at.Add(time.Second)
		}
		for range guesses {
			add("victim", 401, -1)
		}
		add("victim", 429, 30) // its account's, of failures before our time, or its address's lock
		add("nobody", 401, -1)
		if vs := c.Finish(); len(vs) != want {
			t.Errorf("after %d guesses: %d accusations, want %d: %v", guesses, len(vs), want, vs)
		}
	}
}

// A server that holds a place for every guess it is hashing refuses further ones
// before the first is answered: twenty guesses under way explain it, fewer do not.
func TestGuessesUnderWayThrottleAnAccount(t *testing.T) {
	rule := login
	rule.Account = 20
	feed := func(underWay int) []limitcheck.Violation {
		c := limitcheck.New(map[string]limitcheck.Rule{"login": rule}, limitcheck.Options{})
		at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
		guess := func(i int, took time.Duration) limitcheck.Event {
			return limitcheck.Event{Sent: at.Add(time.Duration(i) * time.Microsecond), Done: at.Add(took), From: netip.AddrFrom4([4]byte{127, 9, 2, byte(i)}),
				User: "victim", Policy: "login", Status: 401, Limit: -1, Remaining: -1, RetryAfter: -1}
		}
		for i := range 10 {
			e := guess(100+i, 5*time.Millisecond)
			e.Status, e.RetryAfter = 429, 30
			c.Add(e)
		}
		for i := range underWay {
			c.Add(guess(i, 80*time.Millisecond))
		}
		return c.Finish()
	}
	if vs := feed(20); len(vs) > 0 {
		t.Errorf("20 under way: got %v, want none", vs[0])
	}
	if vs := feed(15); len(vs) != 10 || vs[0].Rule != "J4" {
		t.Errorf("15 under way: got %v, want 10 of J4", vs)
	}
}

// A million answers from a hundred thousand addresses leave a bounded history.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("feeds a million events; run without -short")
	}
	c := limitcheck.New(map[string]limitcheck.Rule{"login": login}, limitcheck.Options{Keys: 1024})
	at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	feed := func(n int) {
		for i := range n {
			c.Add(limitcheck.Event{Sent: at, Done: at.Add(time.Millisecond), From: netip.AddrFrom4([4]byte{127, byte(i >> 16), byte(i >> 8), byte(i)}),
				User: "u", Policy: "login", Status: 401, Limit: 5, Remaining: 4, RetryAfter: -1})
			at = at.Add(time.Millisecond)
		}
	}
	feed(100_000)
	before := heap()
	feed(900_000)
	if after := heap(); after > before+4<<20 {
		t.Errorf("heap grew from %d to %d MiB over 900 000 more events", before>>20, after>>20)
	}
	if forgotten, _ := c.Forgotten(); forgotten == 0 {
		t.Error("nothing was forgotten, and nobody was told")
	}
}
