package limit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vitals/server/web"
)

// LK10: nothing that happens to Redis frees anybody, or moves the end of a lock;
// not even for the first request after it, on a replica that never saw the lock.
func TestRedisLossFreesNobody(t *testing.T) {
	s := startServer(t)
	locks := newTable()
	first, second := shared(t, s, locks, nil, nil), shared(t, s, locks, nil, nil)
	lockOut(t, first, "192.0.2.1")
	end := time.Now().Add(900 * time.Second)
	eventually(t, "lock saved", 2*time.Second, func() bool { l, _ := locks.Live(t.Context()); return len(l) == 1 })

	still := func(after string) {
		t.Helper()
		for name, g := range map[string]*Gate{"the replica that locked": first, "another replica": second} {
			code, retry := attempt(t, g, "192.0.2.1")
			if code != "locked_out" {
				t.Errorf("after %s, %s: got %q, want locked_out", after, name, code)
			}
			within(t, "end of the lock after "+after, retry, time.Until(end), 2*time.Second)
		}
	}
	still("nothing")
	c := s.client()
	defer c.Close()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	still("FLUSHALL")
	s.stop()
	s.start()
	still("a clean restart")
	s.kill()
	s.start()
	still("kill -9")
	for name, g := range map[string]*Gate{"first": first, "second": second} {
		eventually(t, name+" well again", 3*time.Second, func() bool { return !g.fallback.degraded() })
	}
	if ttl := c.PTTL(t.Context(), redisKey("192.0.2.1", Login, "l")).Val(); ttl < 800*time.Second {
		t.Errorf("lock in Redis: got %v, want it reloaded", ttl)
	}
}

// A server that comes back with an old snapshot has a sentinel, but not the locks
// that are younger than the snapshot.
func TestAnOldSnapshotIsNotTrusted(t *testing.T) {
	s := startServer(t, "--dbfilename", "old.rdb")
	locks := newTable()
	g := shared(t, s, locks, nil, nil)
	c := s.client()
	defer c.Close()
	if err := c.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	lockOut(t, g, "192.0.2.1")
	eventually(t, "lock saved", 2*time.Second, func() bool { l, _ := locks.Live(t.Context()); return len(l) == 1 })
	s.kill()
	s.start()
	if n := c.Exists(t.Context(), epochKey).Val(); n != 1 {
		t.Fatalf("sentinels in the snapshot: got %d, want 1", n)
	}
	other := shared(t, s, locks, nil, nil)
	if code, _ := attempt(t, other, "192.0.2.1"); code != "locked_out" {
		t.Errorf("got %q, want locked_out", code)
	}
}

// LK8, LK9 as two processes see it: 200 wrong logins at once through two gates.
func TestTwoGatesJudgeFive(t *testing.T) {
	s := startServer(t)
	patient := func(o *Options) { o.Redis.Timeout = 2 * time.Second }
	two := [2]*Gate{shared(t, s, nil, nil, patient), shared(t, s, nil, nil, patient)}
	for round := range 20 {
		var judged, locked atomic.Int64
		var done sync.WaitGroup
		for i := range 200 {
			done.Go(func() {
				ctx, _ := from(context.Background(), fmt.Sprint("192.0.2.", round))
				a, err := two[i%2].Enter(ctx, Login)
				if err != nil {
					if p, ok := errors.AsType[*web.Problem](err); ok && p.Code == "locked_out" {
						locked.Add(1)
					}
					return
				}
				time.Sleep(5 * time.Millisecond) // the hash
				judged.Add(1)
				a.Fail(ctx, fmt.Sprint("mallory", i))
			})
		}
		done.Wait()
		if judged.Load() != 5 || locked.Load() != 195 {
			t.Fatalf("round %d: got %d judged, %d locked; want 5, 195", round, judged.Load(), locked.Load())
		}
	}
}

// A call whose answer comes too late has been made once.
func TestASlowCallCountsOnce(t *testing.T) {
	s := startServer(t)
	g := shared(t, s, nil, nil, nil)
	p := g.policies[PasswordReset]
	if _, err := g.fallback.redis.Take(t.Context(), p, "192.0.2.1", "first"); err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGSTOP)
	start := time.Now()
	_, err := g.fallback.redis.Take(t.Context(), p, "192.0.2.1", "second")
	took := time.Since(start)
	s.signal(syscall.SIGCONT)
	if err == nil {
		t.Fatal("a hung server answered")
	}
	if took < defaultRedisTimeout || took > defaultRedisTimeout+busyMachine {
		t.Errorf("a hung call: got %v, want %v", took, defaultRedisTimeout)
	}
	c := s.client()
	defer c.Close()
	key := redisKey("192.0.2.1", PasswordReset, "f")
	eventually(t, "the late call arrives", 2*time.Second, func() bool { return c.ZCard(t.Context(), key).Val() >= 2 })
	time.Sleep(300 * time.Millisecond) // where a retry would follow
	if got := c.ZCard(t.Context(), key).Val(); got != 2 {
		t.Errorf("counted: got %d, want 2", got)
	}
}

// A slot whose answer was lost is given back: five of them would make an address
// busy, and keep it from its lock as well, until their leases end.
func TestALostAnswerHoldsNoSlot(t *testing.T) {
	s := startServer(t)
	g := shared(t, s, nil, nil, func(o *Options) { o.Replicas = 2 })
	p := g.policies[Login]
	s.signal(syscall.SIGSTOP)
	for i := range breakAfter - 2 { // with one more, and the keeper's own, Redis would be given up
		d, err := g.fallback.Begin(t.Context(), p, "192.0.2.1", fmt.Sprint("lost ", i))
		if err != nil || d.Verdict != Busy {
			t.Errorf("of a hung Redis: got %v, %v, want busy", d.Verdict, err)
		}
	}
	s.signal(syscall.SIGCONT)
	c := s.client()
	defer c.Close()
	slots := redisKey("192.0.2.1", Login, "p")
	eventually(t, "the late calls arrive and are taken back", 4*time.Second, func() bool {
		_, unwritten := g.fallback.queued()
		return c.ZCard(t.Context(), slots).Val() == 0 && len(unwritten) == 0
	})
	for i := range p.Limit {
		if d, err := g.fallback.Begin(t.Context(), p, "192.0.2.1", fmt.Sprint("new ", i)); err != nil || d.Verdict != Allowed {
			t.Errorf("try %d afterwards: got %v, %v, want allowed", i+1, d.Verdict, err)
		}
	}
}

// A server that may throw locks away is refused in production.
func TestAnEvictingRedisIsRefused(t *testing.T) {
	s := startServer(t, "--maxmemory-policy", "allkeys-lru")
	o := options()
	o.Redis = RedisOptions{URL: s.url, Strict: true}
	_, err := Open(t.Context(), o, nil, nil, nil)
	if e, ok := errors.AsType[Evicts](err); !ok || e.Policy != "allkeys-lru" {
		t.Errorf("strict: got %v, want Evicts allkeys-lru", err)
	}
	book := newLogbook()
	shared(t, s, nil, slog.New(book), nil)
	if got := book.count(slog.LevelWarn); got != 1 {
		t.Errorf("else: got %d warnings, want 1", got)
	}
}

// Two processes share one limit, and a restart of both lifts no lock.
func TestProcessesShareOneLimit(t *testing.T) {
	s := startServer(t)
	two := [2]*Gate{shared(t, s, nil, nil, nil), shared(t, s, nil, nil, nil)}
	judged := 0
	for i := range 20 {
		if code, _ := attempt(t, two[i%2], "192.0.2.1"); code == "" {
			judged++
		}
	}
	if judged != 5 {
		t.Errorf("judged by two: got %d, want 5", judged)
	}
	if code, _ := attempt(t, shared(t, s, nil, nil, nil), "192.0.2.1"); code != "locked_out" {
		t.Errorf("after a restart: got %q, want locked_out", code)
	}
}

// Many requests meet an emptied server at once: one reload, no error, no lock lost.
func TestReloadUnderLoad(t *testing.T) {
	s := startServer(t)
	live := func(context.Context) ([]Lock, error) {
		return []Lock{{Policy: Login, Key: "192.0.2.1", Until: time.Now().Add(time.Minute)}}, nil
	}
	r := openRedis(t, s.url, live)
	p := Policies(Published())[Login]
	c := s.client()
	defer c.Close()
	for range 5 {
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		for range 50 {
			done.Go(func() {
				d, err := r.Begin(context.Background(), p, "192.0.2.1", rand.Text())
				if err != nil || d.Verdict != Locked {
					t.Errorf("got %v, %v; want locked", d.Verdict, err)
				}
			})
		}
		done.Wait()
	}
}

func TestRedisURLIsNotInErrors(t *testing.T) {
	o := options()
	o.Redis.URL = "redis://user:hunter2@%zz"
	_, err := Open(t.Context(), o, nil, nil, nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}
