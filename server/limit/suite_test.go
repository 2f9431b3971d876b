package limit

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// rig is one store to run a test body against. The bodies count time in units:
// a fake minute where time is ours, a real fraction of a second where it is not.
type rig struct {
	engine  engine              // one instance
	another func() engine       // a further instance on the same store
	sleep   func(time.Duration) // lets time pass
	unit    time.Duration       // the bodies' unit of time
	slack   time.Duration       // how wrong a duration may be
	rounds  int                 // repetitions of what may race
	crowd   int                 // how many race; miniredis runs its Lua slowly
	keys    func() []string     // what Redis holds; nil in memory
}

// onEvery runs body against memory, miniredis and a real server.
func onEvery(t *testing.T, body func(t *testing.T, r rig)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := NewMemory(time.Hour, 0)
			body(t, rig{
				engine: m, another: func() engine { return m },
				sleep: time.Sleep, unit: time.Minute, rounds: 20, crowd: 200,
			})
		})
	})
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		clock := time.Now().Truncate(time.Millisecond)
		m.SetTime(clock)
		open := func() engine { return openRedis(t, "redis://"+m.Addr(), nil) }
		body(t, rig{
			engine: open(), another: open, unit: time.Minute, slack: time.Millisecond, rounds: 3, crowd: 20,
			sleep: func(d time.Duration) {
				clock = clock.Add(d)
				m.SetTime(clock)
				m.FastForward(d)
			},
			keys: func() []string { return keysWithoutEnd(t, "redis://"+m.Addr()) },
		})
	})
	t.Run("redis", func(t *testing.T) {
		s := startServer(t)
		open := func() engine { return openRedis(t, s.url, nil) }
		body(t, rig{
			engine: open(), another: open, unit: 500 * time.Millisecond, slack: 300 * time.Millisecond,
			sleep: time.Sleep, rounds: 20, crowd: 200,
			keys: func() []string { return keysWithoutEnd(t, s.url) },
		})
	})
}

// openRedis opens a limiter that is patient, as the machine may be busy.
func openRedis(t testing.TB, url string, live func(context.Context) ([]Lock, error)) *Redis {
	t.Helper()
	if live == nil {
		live = func(context.Context) ([]Lock, error) { return nil, nil }
	}
	r, err := newRedis(RedisOptions{URL: url, Timeout: 5 * time.Second}, time.Hour, live, newMetrics(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open redis: %v", err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// keysWithoutEnd lists the keys that would stay for ever.
func keysWithoutEnd(t *testing.T, url string) []string {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	defer c.Close()
	all, err := c.Keys(t.Context(), "*").Result()
	if err != nil || len(all) == 0 {
		t.Fatalf("list keys: got %v, error %v", all, err)
	}
	return slices.DeleteFunc(all, func(k string) bool { return c.PTTL(t.Context(), k).Val() > 0 })
}

// login is the login policy in the rig's time: 5 in 3 units, a lock of 9.
func (r rig) login() Policy {
	return Policy{Name: Login, Limit: 5, Window: 3 * r.unit, Lock: 9 * r.unit, Failures: true}
}

// asker asks one limiter and fails the test on errors.
type asker struct {
	t *testing.T
	e Limiter
	p Policy
}

func (a asker) begin(key, id string) Decision {
	a.t.Helper()
	d, err := a.e.Begin(a.t.Context(), a.p, key, id)
	if err != nil {
		a.t.Fatalf("begin: %v", err)
	}
	return d
}

func (a asker) commit(key, id string, o Outcome, user string) Decision {
	a.t.Helper()
	d, err := a.e.Commit(a.t.Context(), a.p, key, id, o, user)
	if err != nil {
		a.t.Fatalf("commit: %v", err)
	}
	return d
}

func (a asker) take(key, id string) Decision {
	a.t.Helper()
	d, err := a.e.Take(a.t.Context(), a.p, key, id)
	if err != nil {
		a.t.Fatalf("take: %v", err)
	}
	return d
}

// try is one whole attempt.
func (a asker) try(key, user string, o Outcome) (Decision, bool) {
	a.t.Helper()
	id := rand.Text()
	d := a.begin(key, id)
	if d.Verdict != Allowed {
		return d, false
	}
	return a.commit(key, id, o, user), true
}

// fails makes n failed attempts that must all be judged.
func (a asker) fails(key string, n int) {
	a.t.Helper()
	for i := range n {
		if d, judged := a.try(key, "mallory", Failed); !judged {
			a.t.Fatalf("failure %d of %d: got %v, want judged", i+1, n, d.Verdict)
		}
	}
}

func (a asker) wants(key string, want Verdict) Decision {
	a.t.Helper()
	id := rand.Text()
	d := a.begin(key, id)
	if d.Verdict != want {
		a.t.Fatalf("begin: got %v, want %v", d.Verdict, want)
	}
	if want == Allowed {
		a.commit(key, id, Released, "")
	}
	return d
}

func within(t *testing.T, what string, got, want, slack time.Duration) {
	t.Helper()
	if got > want+slack || got < want-slack {
		t.Errorf("%s: got %v, want %v ± %v", what, got, want, slack)
	}
}
