package audit

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

func healthControl() []Probe {
	return []Probe{
		{
			ID: "HL4", Title: "/ready follows the database down and up, and tells nothing of it", Guide: "production-guide:278", Class: Control, run: readyFollows,
			Why: "A replica that calls itself ready without a database answers every request with an error.",
			Fix: "Ask the database on a connection of its own, within a second; answer flags, never an error's text.",
		},
		{
			ID: "HL5", Title: "/live and /health answer fast with the database and Redis gone", Guide: "production-guide:265", Class: Control, run: liveAlone,
			Why: "A liveness check that hangs with the database restarts every replica in the middle of its outage.",
			Fix: "Touch nothing in either.",
		},
		{
			ID: "HL6", Title: "/ready stays good with every pool connection busy", Guide: "production-guide:279", Class: Control, run: readyBesidePool,
			Why: "Readiness through the request pool ejects every replica at once when all are merely busy.",
			Fix: "Keep a connection for readiness outside of the pool.",
		},
		{
			ID: "HL8", Title: "a stop under load loses no request", Guide: "production-guide:277", Class: Control, run: stopUnderLoad,
			Why: "A release in the middle of the day drops whatever was under way, and what the balancer still sends.",
			Fix: "On SIGTERM say 503 on /ready, go on serving for the drain delay, then close and wait.",
		},
	}
}

func readyFollows(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Breaks: true})
	from := live.plain()
	live.Want(live.Do("ready", from, "", nil), http.StatusOK)
	live.act(api, "postgres", stopPart)
	down := time.Now()
	seen := false
	for time.Since(down) < 5*time.Second {
		a := live.Do("ready", from, "", nil)
		took := a.Done.Sub(a.Sent)
		t.Check(took <= 1500*time.Millisecond, "%v: it took %v with the database down, want at most 1.5 s", a, took)
		if a.Status == http.StatusServiceUnavailable {
			seen = true
			t.Check(strings.Contains(strings.ReplaceAll(string(a.Body), " ", ""), `"database":false`), "%v: it does not say database false: %s", a, cut(string(a.Body)))
			t.quiet(a)
		} else if seen || time.Since(down) > 2500*time.Millisecond { // an answer may be a second old
			t.Fail("%v: got %s %v after the database stopped, want 503", a, a.got(), time.Since(down).Round(time.Millisecond))
			break
		}
		t.sleep(250 * time.Millisecond)
	}
	t.Check(seen, "/ready never said 503")
	live.act(api, "postgres", startPart)
	up := time.Now()
	for {
		a := live.Do("ready", from, "", nil)
		if a.Status == http.StatusOK {
			break
		}
		if !t.Check(time.Since(up) < 5*time.Second, "%v: got %s %v after the database came back, want 200 within 5 s", a, a.got(), time.Since(up).Round(time.Millisecond)) {
			break
		}
		t.sleep(200 * time.Millisecond)
	}
}

// quiet checks that an answer of ours tells nothing of what is behind.
func (t *T) quiet(a Answer) {
	body := strings.ToLower(string(a.Body))
	for _, word := range []string{"postgres", "sqlstate", "pgx", "dial tcp", "connection refused", "127.0.0.1", "localhost", "goroutine", ".go:", "panic", "select ", "dsn", "relation "} {
		t.Check(!strings.Contains(body, word), "%v: the answer holds %q: %s", a, word, cut(string(a.Body)))
	}
}

func liveAlone(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Breaks: true, Redis: true})
	from := live.plain()
	times := func() []time.Duration {
		var out []time.Duration
		for range 150 {
			for _, name := range []string{"live", "health"} {
				a := live.Do(name, from, "", nil)
				if !t.Want(a, http.StatusOK) {
					t.Stop()
				}
				out = append(out, a.Done.Sub(a.Sent))
			}
		}
		return out
	}
	const bound = 50 * time.Millisecond
	before := quantile(times(), 0.99)
	if before >= bound {
		t.Skip("this machine is too busy: p99 is %v with everything up", before)
	}
	live.act(api, "postgres", stopPart)
	live.act(api, "redis", stopPart)
	t.shows(func() string {
		after := quantile(times(), 0.99)
		t.Note("p99 %v with everything up, %v with everything down", before.Round(10*time.Microsecond), after.Round(10*time.Microsecond))
		if after < bound {
			return ""
		}
		return fmt.Sprintf("p99 of /live and /health is %v with the database and Redis down, want below %v", after, bound)
	})
}

// hold keeps the API's requests for the list waiting in the database for a
// while, by a lock on the table; it returns once the lock is held, and a func
// that waits for its end.
func (t *T) hold(api *API, d time.Duration) (released func()) {
	if api.SQL == nil {
		t.Skip("its database is out of reach")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = api.SQL(t.ctx, `DO $$ BEGIN LOCK TABLE medications IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(`+seconds(d)+`); END $$`) // seen by its lock
	}()
	for range 100 {
		rows := t.sql(api, `SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'medications' AND l.mode = 'AccessExclusiveLock' AND l.granted`)
		if rows[0][0] != "0" {
			return func() { <-done }
		}
		t.sleep(30 * time.Millisecond)
	}
	t.Skip("the lock that holds requests was not granted")
	return nil
}

// waiting counts the API's connections that wait for the lock.
func (t *T) waiting(api *API) string {
	return t.sql(api, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)[0][0]
}

func readyBesidePool(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Env: map[string]string{"DB_POOL_SIZE": "2", "DB_MAX_OVERFLOW": "1", "DB_POOL_TIMEOUT": "20", "DB_STATEMENT_TIMEOUT": "20"}})
	s := live.Session()
	released := live.hold(api, 5*time.Second)
	var wg sync.WaitGroup
	q := live.Request("list", s.from, s.access, nil)
	for range 6 {
		wg.Go(func() { live.Send(q) })
	}
	for i := 0; live.waiting(api) != "3"; i++ {
		if i == 60 {
			wg.Wait()
			t.Skip("the pool could not be filled: %s connections wait, want 3", live.waiting(api))
		}
		t.sleep(30 * time.Millisecond)
	}
	for range 10 {
		a := live.Do("ready", live.plain(), "", nil)
		t.Want(a, http.StatusOK)
		t.sleep(200 * time.Millisecond)
	}
	t.Check(live.waiting(api) == "3", "the pool was not full to the end, so this proves little")
	released()
	wg.Wait()
}

func stopUnderLoad(t *T) {
	const drain = 5 * time.Second
	live, api := t.Launch(Launch{Env: map[string]string{"SHUTDOWN_DRAIN_DELAY": seconds(drain), "RATE_LIMIT_API": "100000"}})
	s := live.Session()
	me, ready := live.Request("me", s.from, s.access, nil), live.Request("ready", s.from, "", nil)
	var mu sync.Mutex
	var failed []Answer
	var notReady time.Time
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { // 100 requests a second, in an open loop
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			wg.Go(func() {
				q := me
				if n%10 == 0 {
					q = ready
				}
				a := live.Send(q)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case n%10 == 0 && a.Status == http.StatusServiceUnavailable && notReady.IsZero():
					notReady = a.Done
				case n%10 != 0 && a.Status != http.StatusOK:
					failed = append(failed, a)
				}
			})
		}
	})
	t.sleep(time.Second)
	began := time.Now()
	left := make(chan int)
	go func() { left <- api.Stop(t.ctx, 0) }()
	// Until shortly before the drain's end every request must be served.
	t.sleep(drain - 300*time.Millisecond)
	close(stop)
	wg.Wait()
	code := <-left
	mu.Lock()
	defer mu.Unlock()
	t.Check(!notReady.IsZero() && notReady.Sub(began) < time.Second, "/ready did not say 503 within a second of SIGTERM")
	t.Check(len(failed) == 0, "%d requests failed before the drain's end", len(failed))
	for _, a := range failed[:min(3, len(failed))] {
		t.Fail("%v %v after SIGTERM: got %s", a, a.Sent.Sub(began).Round(time.Millisecond), a.got())
	}
	t.Check(code == 0, "the API left with code %d, want 0", code)
	took := time.Since(began)
	t.Check(took >= drain-100*time.Millisecond && took < 30*time.Second, "the API took %v to leave, want the drain of %v and less than 30 s", took.Round(time.Millisecond), drain)
}
