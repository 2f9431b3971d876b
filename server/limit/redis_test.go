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

	"github.com/prometheus/client_golang/prometheus/testutil"

	"vitals/server/web"
)

// busyMachine is what a timeout may be late by here; the library's own defaults
// would be five seconds late.
const busyMachine = time.Second

// table is a Locks in memory, as the database would hold it.
type table struct {
	mu   sync.Mutex
	rows map[place]Lock
	err  error // the answer to everything, when set
}

func newTable() *table { return &table{rows: map[place]Lock{}} }

func (b *table) Save(_ context.Context, l Lock) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.rows[place{l.Policy, l.Key}] = l
	}
	return b.err
}

func (b *table) Live(context.Context) ([]Lock, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var live []Lock
	for _, l := range b.rows {
		if l.Until.After(time.Now()) {
			live = append(live, l)
		}
	}
	return live, b.err
}

func (b *table) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// logbook counts the lines of a log by level.
type logbook struct {
	slog.Handler
	mu     sync.Mutex
	levels map[slog.Level]int
}

func newLogbook() *logbook {
	return &logbook{Handler: slog.DiscardHandler, levels: map[slog.Level]int{}}
}

func (b *logbook) Enabled(context.Context, slog.Level) bool { return true }

func (b *logbook) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.levels[r.Level]++
	return nil
}

func (b *logbook) count(l slog.Level) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.levels[l]
}

// shared is a gate on a server, running.
func shared(t *testing.T, s *server, locks Locks, log *slog.Logger, change func(*Options)) *Gate {
	t.Helper()
	o := options()
	o.Redis = RedisOptions{URL: s.url}
	if change != nil {
		change(&o)
	}
	g, err := Open(t.Context(), o, locks, nil, log)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := g.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g
}

// attempt is one failed login through a gate; "" when judged, else the refusal.
func attempt(t *testing.T, g *Gate, ip string) (code string, retry time.Duration) {
	t.Helper()
	ctx, _ := from(t.Context(), ip)
	a, err := g.Enter(ctx, Login)
	if err != nil {
		p := problemOf(t, err)
		return p.Code, time.Duration(p.RetryAfter) * time.Second
	}
	a.Fail(ctx, "mallory@clinic.test")
	return "", 0
}

// lockOut fails five times and once more.
func lockOut(t *testing.T, g *Gate, ip string) {
	t.Helper()
	for i := range 5 {
		if code, _ := attempt(t, g, ip); code != "" {
			t.Fatalf("attempt %d: got %s, want judged", i+1, code)
		}
	}
	if code, _ := attempt(t, g, ip); code != "locked_out" {
		t.Fatalf("sixth attempt: got %q, want locked_out", code)
	}
}

// eventually waits for a condition, up to a limit.
func eventually(t *testing.T, what string, limit time.Duration, is func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(start)
}

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

// LK12 and traps 12 and 13: a server that hangs costs the timeout, then nothing;
// every replica judges at most its share, says once that it is degraded, and is
// back within two seconds.
func TestTrap13_AHungRedisIsNeitherOpenNorSlowNorSilent(t *testing.T) {
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

// Trap 4: a call whose answer comes too late has been made once.
func TestTrap04_ASlowCallCountsOnce(t *testing.T) {
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

// Trap 12: a server that may throw locks away is refused in production.
func TestTrap12_AnEvictingRedisIsRefused(t *testing.T) {
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

// Trap 11: two processes share one limit, and a restart of both is no amnesty.
func TestTrap11_ProcessesShareOneLimit(t *testing.T) {
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
