package audit

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"vitals/internal/profile"
)

func lockoutControl() []Probe {
	return []Probe{
		{
			ID: "LK9", Title: "replicas and workers share one count", Guide: "production-guide:159", Class: Control, run: sharedCount,
			Why: "Counters in each process's memory multiply the limit by the number of processes; the document still says five.",
			Fix: "Keep counts in Redis, or in one process; prove it across both replicas and workers.",
		},
		{
			ID: "LK10", Title: "a lock survives Redis: restart, kill -9, FLUSHALL", Guide: "production-guide:159", Class: Control, run: lockSurvivesRedis,
			Why: "Where locks live in a cache alone, its restart is an amnesty for every attacker.",
			Fix: "Keep locks in the database as well, and load them before a Redis that forgot is used.",
		},
		{
			ID: "LK11", Title: "a lock survives a restart of every API process", Guide: "production-guide:159", Class: Control, run: lockSurvivesRestart,
			Why: "A lock in a process's memory ends with the next release, or with the crash an attacker provokes.",
			Fix: "Keep locks outside of the process.",
		},
		{
			ID: "LK12", Title: "without Redis guessing stays limited, and nobody else notices", Guide: "production-guide:159", Class: Control, run: redisGone,
			Why: "A limiter that fails open is switched off by whoever can hurt Redis; one that hangs takes the API with it.",
			Fix: "Own timeouts, no retries, a breaker, and the same algorithm in process while Redis is away.",
		},
		{
			ID: "LK18", Title: "behind a trusted proxy the rightmost untrusted address counts", Guide: "production-guide:339", Class: Control, run: trustedProxy,
			Why: "What stands left of the proxy's own entry was written by the client.",
			Fix: "Join all lines of the header, walk from the right past trusted networks, and take the first other address.",
		},
		{
			ID: "LK19", Title: "one /64 counts as one client", Guide: "production-guide:156", Class: Control, run: oneNetwork,
			Why: "Every home has 18 trillion addresses: a limit per IPv6 address is none.",
			Fix: "Cut IPv6 addresses to their /64 before counting.",
		},
		{
			ID: "LK26", Title: "an outage of the database locks nobody out", Guide: "production-guide:155", Class: Control, run: outageIsNoFailure,
			Why: "Errors of ours that count as wrong passwords turn a minute's outage into a quarter of an hour for everybody.",
			Fix: "Release the place on any error of ours; count only judgements.",
		},
		{
			ID: "LK29", Title: "an account guessed at from everywhere is throttled, its owner is not", Guide: "–", Class: Control, run: accountThrottle,
			Why: "Three hundred addresses with four guesses each pass any limit per address.",
			Fix: "Count failures per account over all addresses; let addresses that signed in lately pass.",
		},
		{
			ID: "LK31", Title: "every key in Redis expires, and none can be evicted", Guide: "production-guide:159", Class: Control, run: redisKeys,
			Why: "A counter without an end is a lock for ever when a process dies at the wrong moment; a lock that can be evicted is lifted by filling the memory.",
			Fix: "Set every key with its expiry in the same script; noeviction, checked at start.",
		},
	}
}

// guesses are wrong sign-ins from one address, at once, spread over the bases.
func (t *T) guesses(n int, from netip.Addr, bases []*url.URL) []Answer {
	next := t.strangers()
	as, _ := t.volley(repeat(n, func(i int) Request {
		return at(bases[i%len(bases)], t.Login(from, next(), wrongPassword()))
	}))
	return as
}

func sharedCount(t *T) {
	const many = 60
	for _, c := range []struct {
		what string
		l    Launch
	}{
		{"two replicas", Launch{Replicas: 2, Postgres: true, Redis: true}},
		{"workers", Launch{Postgres: true, Redis: true, Env: map[string]string{"WORKERS": "3"}}},
	} {
		live, _ := t.Launch(c.l)
		limit := live.Limit("login").Limit
		for range 3 {
			if held, _ := live.exactly("login", live.guesses(many, live.Address(), live.target.Replicas), limit, fmt.Sprintf("%d wrong sign-ins over %s", many, c.what)); !held {
				break
			}
		}
	}
}

// locked makes wrong sign-ins until the lock, and gives its end and whose accounts it
// is to be felt by.
func (t *T) locked() (from netip.Addr, next func() string, end time.Time) {
	from, next = t.Address(), t.strangers()
	a := t.lockOut(from, next())
	return from, next, a.Done.Add(time.Duration(a.RetryAfter()) * time.Second)
}

// still checks that a lock is in force with the same end.
func (t *T) still(from netip.Addr, next func() string, end time.Time, after string) {
	a := t.Guess(from, next())
	if !t.Check(t.read("login", a) == profile.Refused, "%v after %s: got %s, want %s", a, after, a.got(), profile.Statuses(t.judge("login").Refused)) {
		return
	}
	moved := a.Done.Add(time.Duration(a.RetryAfter()) * time.Second).Sub(end)
	t.Check(moved <= time.Second && moved >= -time.Second-a.Done.Sub(a.Sent), "%v after %s: the lock's end moved by %v, allowed is 1 s", a, after, moved.Round(10*time.Millisecond))
}

func lockSurvivesRestart(t *T) {
	for _, l := range []Launch{{Replicas: 2, Postgres: true, Redis: true}, {}} {
		live, api := t.Launch(l)
		from, next, end := live.locked()
		for n := range live.target.Replicas {
			t.script.say(t.began, fmt.Sprintf("kill -9 and start of API process %d", n+1))
			if err := api.Restart(t.ctx, n); err != nil {
				t.Skip("restart: %v", err)
			}
		}
		live.still(from, next, end, "a restart of every process ("+settings(l)+")")
	}
}

// behind is a launch whose driver is a trusted proxy.
func (t *T) behind() *T {
	live, _ := t.Launch(Launch{Env: map[string]string{"TRUSTED_PROXIES": "127.0.0.0/8"}})
	live.target.Deaf = true // addresses travel in headers that probes forge
	return live
}

// via is a wrong sign-in with lines of X-Forwarded-For.
func (t *T) via(lines ...string) Answer {
	q := t.Login(netip.Addr{}, unknownAccount(), wrongPassword())
	q.Label = "wrong password via " + strings.Join(lines, " | ")
	for _, line := range lines {
		q.Header.Add("X-Forwarded-For", line)
	}
	return t.Send(q)
}

func trustedProxy(t *T) {
	live := t.behind()
	limit := live.Limit("login").Limit
	for _, c := range []struct {
		what string
		send func(i int, client string) Answer
	}{
		{"a forged address in the same line", func(i int, client string) Answer { return live.via(fmt.Sprintf("203.0.113.%d, %s", i+1, client)) }},
		{"a forged line before the proxy's", func(i int, client string) Answer { return live.via(fmt.Sprintf("203.0.113.%d", i+1), client) }},
		{"a forged address and another trusted proxy", func(i int, client string) Answer {
			return live.via(fmt.Sprintf("203.0.113.%d, %s, 127.0.0.9", i+1, client))
		}},
	} {
		client := fmt.Sprintf("198.51.100.%d", 10+t.run.next()%200)
		for i := range limit {
			if !live.WantWrong("login", c.send(i, client)) {
				return
			}
		}
		a := c.send(limit, client)
		t.Check(live.read("login", a) == profile.Refused, "%v: with %s the %dth got %s, want %s", a, c.what, limit+1, a.got(), profile.Statuses(live.judge("login").Refused))
	}
	live.WantWrong("login", live.via("198.51.100.250"))
}

func oneNetwork(t *T) {
	live := t.behind()
	limit := live.Limit("login").Limit
	for i := range limit {
		if !live.WantWrong("login", live.via(fmt.Sprintf("2001:db8:7:1::%x", i+1))) {
			return
		}
	}
	live.WantRefused("login", live.via("2001:db8:7:1:ffff::1"))
	live.WantWrong("login", live.via("2001:db8:7:2::1"))
}

func outageIsNoFailure(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Breaks: true, Env: map[string]string{"DB_POOL_TIMEOUT": "2", "DB_CONNECT_TIMEOUT": "2"}})
	from, acc := live.Address(), live.Account()
	if !t.WantIn(live.SignIn(from, acc)) {
		return
	}
	live.act(api, "postgres", stopPart)
	for range 2 * live.Limit("login").Limit {
		a := live.Send(live.Login(from, acc.Email, acc.Password))
		t.Check(a.Status == http.StatusServiceUnavailable, "%v with the database down: got %s, want 503", a, a.got())
		t.quiet(a)
	}
	live.act(api, "postgres", startPart)
	for range 50 {
		if live.Do("ready", from, "", nil).Status == http.StatusOK {
			break
		}
		t.sleep(200 * time.Millisecond)
	}
	t.WantIn(live.SignIn(from, acc))
	a := live.Guess(from, unknownAccount())
	live.WantWrong("login", a)
	t.Check(a.Remaining() == live.Limit("login").Limit-1, "%v: %d left after one wrong password and an outage, want %d", a, a.Remaining(), live.Limit("login").Limit-1)
}

func accountThrottle(t *T) {
	const addresses, each, beside = 300, 4, 10
	live, _ := t.Launch(Launch{})
	threshold := live.Limit("login").Account
	if threshold == 0 {
		t.Skip("profile %s has no throttle on accounts", live.target.Profile.Name)
	}
	victim, home := live.Account(), live.Address()
	if !t.WantIn(live.SignIn(home, victim)) {
		return
	}
	work := make(chan Request)
	var mu sync.Mutex
	var answers []Answer
	var wg sync.WaitGroup
	for range beside {
		wg.Go(func() {
			for q := range work {
				a := live.Send(q)
				mu.Lock()
				answers = append(answers, a)
				mu.Unlock()
			}
		})
	}
	began := time.Now()
	for range addresses {
		from := live.Address()
		for range each {
			work <- live.Login(from, victim.Email, wrongPassword())
		}
	}
	close(work)
	wg.Wait()
	// One attempt is admitted per wait of at least 30 s.
	most := threshold + beside + 1 + int(time.Since(began)/(30*time.Second))
	judged, refused, rest := live.tallied("login", answers)
	t.Note("%d guesses at one account from %d addresses: %d judged, %d refused", addresses*each, addresses, judged, refused)
	t.Check(judged >= threshold && judged <= most, "%d of %d guesses at one account were judged, want %d to %d", judged, addresses*each, threshold, most)
	t.Check(len(rest) == 0, "%s, want nothing but judged and refused guesses", tally(rest))
	t.WantIn(live.SignIn(home, victim))
	t.WantIn(live.SignIn(live.Address(), live.Account()))
}
