package audit

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func database() []Probe {
	return []Probe{
		{
			ID: "DB1", Title: "the pool is exactly as large as size plus overflow", Guide: "production-guide:179", Class: Control, run: poolSize,
			Why: "A larger pool than configured exhausts the database for everybody; a smaller one wastes what was paid for.",
			Fix: "Map size and overflow to one maximum, per process.",
		},
		{
			ID: "DB2", Title: "a blocked pool answers 503 in time, and leaks nothing", Guide: "production-guide:182", Class: Control, run: poolTimeout,
			Why: "Requests that wait for a connection without end pile up until the process falls.",
			Fix: "Bound the wait by DB_POOL_TIMEOUT; answer 503 with Retry-After.",
		},
		{
			ID: "DB3", Title: "killed connections cost no request", Guide: "production-guide:215", Class: Control, run: killedConnections,
			Why: "After a failover every pooled connection is dead; without a check each costs a user an error.",
			Fix: "Ping connections that were idle before use.",
		},
		{
			ID: "DB4", Title: "connections are recycled, staggered; -1 recycles none", Guide: "production-guide:186", Class: Control, Waits: true, run: recycling,
			Why: "A recycle of -1 read as 0 opens a connection for every query; one for all at once makes a gap every hour.",
			Fix: "Give each connection a lifetime with jitter; map -1 to practically never.",
		},
	}
}

// connections counts the API's own connections to its database.
func (t *T) connections(api *API) int {
	rows := t.sql(api, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'`)
	n, _ := strconv.Atoi(rows[0][0]) // a count
	return n
}

func poolSize(t *T) {
	const size, overflow = 3, 2
	live, api := t.Launch(Launch{Postgres: true, Env: map[string]string{
		"DB_POOL_SIZE": strconv.Itoa(size), "DB_MAX_OVERFLOW": strconv.Itoa(overflow), "DB_POOL_TIMEOUT": "20", "DB_STATEMENT_TIMEOUT": "20", "RATE_LIMIT_API": "1000",
	}})
	s := live.Session()
	released := live.hold(api, 4*time.Second)
	q := live.Request("list", s.from, s.access, nil)
	var wg sync.WaitGroup
	for range 4 * (size + overflow) {
		wg.Go(func() { live.Send(q) })
	}
	peak, total := 0, 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		peak = max(peak, live.connections(api))
		rows := live.sql(api, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND query NOT LIKE 'DO %'`)
		n, _ := strconv.Atoi(rows[0][0]) // a count
		total = max(total, n)
		t.sleep(50 * time.Millisecond)
	}
	released()
	wg.Wait()
	t.Note("%d connections at once, %d in all", peak, total)
	t.Check(peak == size+overflow, "%d requests at once used %d connections, want %d", 4*(size+overflow), peak, size+overflow)
	t.Check(total <= size+overflow+1, "the API holds %d connections, want at most %d and one for readiness", total, size+overflow)
}

func poolTimeout(t *T) {
	const wait = 2 * time.Second
	live, api := t.Launch(Launch{Postgres: true, Env: map[string]string{
		"DB_POOL_SIZE": "2", "DB_MAX_OVERFLOW": "1", "DB_POOL_TIMEOUT": seconds(wait), "DB_STATEMENT_TIMEOUT": "20", "RATE_LIMIT_API": "1000",
	}})
	s := live.Session()
	released := live.hold(api, 6*time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var as []Answer
	q := live.Request("list", s.from, s.access, nil)
	for range 12 {
		wg.Go(func() {
			a := live.Send(q)
			mu.Lock()
			defer mu.Unlock()
			as = append(as, a)
		})
	}
	wg.Wait()
	released()
	n := statuses(as)
	t.Check(n[503] == 9 && n[200] == 3, "12 requests on a pool of 3 that is blocked: %s, want 9×503, 3×200", tally(n))
	for _, a := range as {
		if a.Status != http.StatusServiceUnavailable {
			continue
		}
		took := a.Done.Sub(a.Sent)
		t.Check(took > wait-500*time.Millisecond && took < wait+500*time.Millisecond+wait, "%v: 503 after %v, want %v", a, took.Round(time.Millisecond), wait)
		t.Check(a.Code() == "pool_timeout" && a.RetryAfter() >= 1, "%v: code %q, Retry-After %q, want pool_timeout and at least 1", a, a.Code(), a.Header.Get("Retry-After"))
	}
	for range 10 {
		t.Want(live.Send(q), http.StatusOK)
	}
}

func killedConnections(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Env: map[string]string{"RATE_LIMIT_API": "1000"}})
	s := live.Session()
	q := live.Request("list", s.from, s.access, nil)
	live.volley(repeat(8, func(int) Request { return q })) // fill the pool
	live.sql(api, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	t.sleep(2 * time.Second)
	n := map[int]int{}
	for range 20 {
		as, _ := live.volley(repeat(10, func(int) Request { return q }))
		for _, a := range as {
			n[a.Status]++
		}
	}
	t.Check(n[200] == 200, "200 requests after all connections were killed: %s, want 200×200", tally(n))
}

// starts are when the API's connections were made, sorted.
func (t *T) starts(api *API) []string {
	var out []string
	for _, row := range t.sql(api, `SELECT pid || ' ' || extract(epoch FROM backend_start) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name NOT LIKE '%ready%'`) {
		out = append(out, row[0])
	}
	slices.Sort(out)
	return out
}

func recycling(t *T) {
	watch := 180 * time.Second // three lifetimes
	if t.run.target.ShortClock {
		watch = 125 * time.Second
	}
	env := func(recycle string) map[string]string {
		return map[string]string{"DB_POOL_SIZE": "4", "DB_MAX_OVERFLOW": "0", "DB_POOL_RECYCLE": recycle, "RATE_LIMIT_API": "100000"}
	}
	short, shortAPI := t.Launch(Launch{Postgres: true, Env: env("60")})
	never, neverAPI := t.Launch(Launch{Postgres: true, Env: env("-1")})
	a, b := short.Session(), never.Session()
	use := func() {
		for range 3 {
			short.volley(repeat(4, func(int) Request { return short.Request("list", a.from, a.access, nil) }))
			never.volley(repeat(4, func(int) Request { return never.Request("list", b.from, b.access, nil) }))
		}
	}
	use()
	t.sleep(2 * time.Second)
	firstShort, firstNever := short.starts(shortAPI), never.starts(neverAPI)
	opened := func() float64 {
		page, err := neverAPI.Target.scrape(t.ctx, neverAPI.Target.Admin)
		if err != nil {
			t.Skip("%v", err)
		}
		return sum(page, "db_pool_new_conns_total", nil)
	}
	before := opened()
	t.run.progress(Progress{Probe: t.probe, Wait: watch, Words: "connections with a lifetime of 60 s are to be replaced"})
	for end := time.Now().Add(watch); time.Now().Before(end); {
		use()
		t.sleep(time.Second) // a connection is replaced at its next use
	}
	lastShort, lastNever := short.starts(shortAPI), never.starts(neverAPI)
	kept := 0
	made := map[string]bool{}
	for _, s := range lastShort {
		if slices.Contains(firstShort, s) {
			kept++
		}
		_, at, _ := strings.Cut(s, " ")
		at, _, _ = strings.Cut(at, ".")
		made[at] = true
	}
	t.Check(kept == 0, "%d of %d connections with a lifetime of 60 s were still there after %v", kept, len(firstShort), watch)
	t.Check(len(lastShort) < 3 || len(made) > 1, "all %d connections were made in the same second: a recycle of all at once", len(lastShort))
	lost := 0
	for _, s := range firstNever {
		if !slices.Contains(lastNever, s) {
			lost++
		}
	}
	t.Check(lost == 0, "with -1 %d of %d connections were replaced", lost, len(firstNever))
	t.Check(opened() == before, "with -1 %s connections were opened meanwhile", fmt.Sprint(opened()-before))
}
