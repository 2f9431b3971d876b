package audit

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
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
	s := newSiege(live, users, from)
	defer s.client.Close()
	before, spent := usage(api)
	var attack time.Duration // the API's processor time in the arms with the attack
	// Interleaved, so that what else the machine does falls on both alike.
	for range siegeArms {
		t.run.progress(Progress{Probe: t.probe, Wait: 2 * length, Words: "honest load without and with the attack"})
		s.stretch(&s.quiet, length, false)
		_, idle := usage(api)
		s.stretch(&s.attacked, length, true)
		_, busy := usage(api)
		attack += busy - idle - (idle - spent)
		spent = busy
	}
	after, _ := usage(api)
	grown := after - before
	for _, a := range from {
		t.Check(s.judged[a] <= limit, "%d wrong sign-ins from %s were judged, want at most %d", s.judged[a], a, limit)
	}
	without, with := quantile(s.quiet.honest, 0.95), quantile(s.attacked.honest, 0.95)
	rate := float64(s.sent) / (siegeArms * length).Seconds()
	lag := quantile(s.attacked.lag, 0.95)
	t.Note("honest p95 %v without and %v with %.0f guesses a second (n = %d, %d); our own lag p95 %v; memory grew by %d MiB",
		without.Round(10*time.Microsecond), with.Round(10*time.Microsecond), rate, len(s.quiet.honest), len(s.attacked.honest), lag.Round(10*time.Microsecond), grown>>20)
	t.Note("guesses: %s; a guess cost the API %v of processor time, judged ones included", tally(s.guesses), (attack / time.Duration(max(1, s.sent))).Round(time.Microsecond))
	t.Check(len(s.odd) == 0, "of %d guesses some were answered neither 401, nor 429, nor 503 with Retry-After: %s", s.sent, tally(s.odd))
	failed := 0
	for _, n := range s.attacked.errors {
		failed += n
	}
	all := len(s.attacked.honest) + failed
	if failed > 0 {
		t.Note("honest requests that failed under attack: %s", tally(s.attacked.errors))
	}
	if rate < 0.9*attackRate || lag > 10*time.Millisecond {
		t.Skip("this machine managed %.0f of %d guesses a second beside the API, with a lag of %v: what honest users felt would be our own doing", rate, attackRate, lag.Round(time.Millisecond))
	}
	bound := max(without*11/10, without+30*time.Millisecond) // as SH4
	t.Check(with <= bound && with < honestP95, "honest p95 is %v under attack, %v without; at most %v and below %v is allowed", with, without, bound, honestP95)
	t.Check(1000*failed < all, "%d of %d honest requests failed under attack, want less than 0.1 %%: %s", failed, all, tally(s.attacked.errors))
	t.Check(grown < 256<<20, "memory grew by %d MiB", grown>>20)
}

// usage is the memory of all API processes in bytes and the processor time they
// have spent; 0 where it cannot be read.
func usage(api *API) (memory int64, spent time.Duration) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	for _, pid := range api.PIDs() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, 0
		}
		_, after, _ := strings.Cut(string(status), "VmRSS:")
		if f := strings.Fields(after); len(f) > 0 {
			kb, _ := strconv.ParseInt(f[0], 10, 64) // the kernel's own number
			memory += kb << 10
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, 0
		}
		// After the name in brackets: state is the first field, utime the 12th.
		if f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])); len(f) > 12 {
			user, _ := strconv.ParseInt(f[11], 10, 64)
			system, _ := strconv.ParseInt(f[12], 10, 64)
			spent += time.Duration(user+system) * tick
		}
	}
	return memory, spent
}
