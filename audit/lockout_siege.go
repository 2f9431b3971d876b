package audit

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vitals/load/wire"
)

func siege() []Probe {
	return []Probe{{
		ID: "LK28", Title: "honest users do not feel 2000 guesses a second", Seed: "S2:109", Class: Control, Alone: true, run: besieged,
		Why: "A lockout that costs as much as a sign-in is itself the way to stop the service.",
		Fix: "Decide before hashing, in one trip; bound hashing; keep the lock's own answer cheap.",
	}}
}

// The siege of hardening 3: how much of what, and what honest users may feel.
const (
	honestRate  = 200  // requests a second
	attackRate  = 2000 // wrong sign-ins a second
	attackers   = 50   // addresses
	honestP95   = 300 * time.Millisecond
	siegeLength = 5 * time.Minute
	siegeArms   = 3
)

// arm is one stretch of a siege, with the attack or without.
type arm struct {
	honest []time.Duration // from due time to answer
	lag    []time.Duration // from due time to sending: our own
	errors map[int]int     // honest answers other than 200, by status
	sent   int64           // guesses
	judged map[netip.Addr]int
	others map[int]int // guesses answered neither 401 nor 429, by status
}

func besieged(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Redis: true, Env: map[string]string{"RATE_LIMIT_API": "1000000", "DB_POOL_SIZE": "10"}})
	length := siegeLength / siegeArms
	if t.run.target.ShortClock {
		length = 10 * time.Second
		t.Note("short clock: %d arms of %v, not of %v", siegeArms, length, siegeLength/siegeArms)
	}
	var users []session
	for range 8 {
		users = append(users, live.Session())
	}
	var from []netip.Addr
	for range attackers {
		from = append(from, live.Address())
	}
	limit := live.Limit("login").Limit
	before := rss(api)
	quiet := arm{errors: map[int]int{}}
	attacked := arm{errors: map[int]int{}, judged: map[netip.Addr]int{}, others: map[int]int{}}
	// Interleaved, so that what else the machine does falls on both alike.
	for range siegeArms {
		t.run.progress(Progress{Probe: t.probe, Wait: 2 * length, Words: "honest load without and with the attack"})
		live.stretch(&quiet, users, nil, length)
		live.stretch(&attacked, users, from, length)
	}
	grown := rss(api) - before
	for _, a := range from {
		t.Check(attacked.judged[a] <= limit, "%d wrong sign-ins from %s were judged, want at most %d", attacked.judged[a], a, limit)
	}
	without, with := quantile(quiet.honest, 0.95), quantile(attacked.honest, 0.95)
	rate := float64(attacked.sent) / (siegeArms * length).Seconds()
	lag := quantile(attacked.lag, 0.95)
	t.Note("honest p95 %v without and %v with %.0f guesses a second (n = %d, %d); our own lag p95 %v; memory grew by %d MiB",
		without.Round(10*time.Microsecond), with.Round(10*time.Microsecond), rate, len(quiet.honest), len(attacked.honest), lag.Round(10*time.Microsecond), grown>>20)
	t.Check(len(attacked.others) == 0, "of %d guesses some were answered neither 401 nor 429: %s", attacked.sent, tally(attacked.others))
	failed := 0
	for _, n := range attacked.errors {
		failed += n
	}
	all := len(attacked.honest) + failed
	if failed > 0 {
		t.Note("honest requests that failed under attack: %s", tally(attacked.errors))
	}
	if rate < 0.9*attackRate || lag > 10*time.Millisecond {
		t.Skip("this machine managed %.0f of %d guesses a second beside the API, with a lag of %v: what honest users felt would be our own doing", rate, attackRate, lag.Round(time.Millisecond))
	}
	bound := max(without*11/10, without+30*time.Millisecond) // as SH4
	t.Check(with <= bound && with < honestP95, "honest p95 is %v under attack, %v without; at most %v and below %v is allowed", with, without, bound, honestP95)
	t.Check(1000*failed < all, "%d of %d honest requests failed under attack, want less than 0.1 %%: %s", failed, all, tally(attacked.errors))
	t.Check(grown < 256<<20, "memory grew by %d MiB", grown>>20)
}

// stretch runs the honest load for a while, with the attack from the addresses.
func (t *T) stretch(a *arm, users []session, from []netip.Addr, d time.Duration) {
	client := wire.NewRaw(hostPort(t.target.URL.Host, "80"), nil)
	defer client.Close()
	began := time.Now()
	client.Start(began)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var sent atomic.Int64
	wg.Go(func() {
		list := make([]*wire.Call, len(users))
		for i, u := range users {
			q := t.Request("list", u.from, u.access, nil)
			list[i] = t.call(&q, "")
		}
		t.paced(began, d, honestRate, func(n int, due time.Duration) {
			c := copyOf(list[n%len(list)])
			lag := time.Since(began) - due
			client.Do(t.ctx, c)
			took := time.Since(began) - due
			mu.Lock()
			defer mu.Unlock()
			a.lag = append(a.lag, lag)
			if c.Code == http.StatusOK {
				a.honest = append(a.honest, took)
			} else {
				a.errors[c.Code]++
			}
		})
	})
	if len(from) > 0 {
		wg.Go(func() {
			word := wrongPassword()
			t.paced(began, d, attackRate, func(n int, _ time.Duration) {
				at := from[n%len(from)]
				q := t.Login(at, fmt.Sprintf("nobody-%d@clinic.test", n), word)
				c := t.call(&q, "")
				client.Do(t.ctx, c)
				sent.Add(1)
				ans := Answer{Status: c.Code, Header: header(c.Head), Sent: began.Add(c.Began), Done: began.Add(c.Done), Label: "guess of a siege"}
				t.run.observe(t.target, q, ans)
				mu.Lock()
				defer mu.Unlock()
				switch c.Code {
				case http.StatusUnauthorized:
					a.judged[at]++
				case http.StatusTooManyRequests:
				default:
					a.others[c.Code]++
				}
			})
		})
	}
	wg.Wait()
	a.sent += sent.Load()
}

// paced calls f at a rate in an open loop, each call on a goroutine of its own,
// and waits for all.
func (t *T) paced(began time.Time, d time.Duration, rate int, f func(n int, due time.Duration)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 0; ; n++ {
		due := time.Duration(n) * time.Second / time.Duration(rate)
		if due >= d || t.ctx.Err() != nil {
			return
		}
		if wait := due - time.Since(began); wait > 0 {
			time.Sleep(wait)
		}
		wg.Go(func() { f(n, due) })
	}
}

func copyOf(c *wire.Call) *wire.Call {
	return &wire.Call{Method: c.Method, Path: c.Path, Lines: c.Lines, Body: c.Body, From: c.From, Timeout: c.Timeout}
}

// rss is the memory of all API processes in bytes; 0 where it cannot be read.
func rss(api *API) int64 {
	total := int64(0)
	for _, pid := range api.PIDs() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0
		}
		_, after, _ := strings.Cut(string(b), "VmRSS:")
		if f := strings.Fields(after); len(f) > 0 {
			kb, _ := strconv.ParseInt(f[0], 10, 64) // the kernel's own number
			total += kb << 10
		}
	}
	return total
}
