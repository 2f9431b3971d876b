package limitcheck_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"vitals/internal/limitcheck"
)

// sim is a login limiter on a clock of its own, kept as the reference API keeps it, or
// broken in a named way. It is written from the promise, not from the server.
type sim struct {
	fault string
	rule  limitcheck.Rule
	rng   *rand.Rand
	state map[netip.Addr]*shelf
}

type shelf struct {
	failed  []mark
	pending int
	locked  time.Time // until
}

type mark struct {
	at   time.Time
	user string
}

// attempt is one sign-in as it will happen: when the server begins it and when
// it has verified the password.
type attempt struct {
	sent, begin, verified time.Time
	from                  netip.Addr
	user                  string
	right                 bool
	admitted              bool
	ev                    limitcheck.Event
}

// play puts the attempts through the limiter in the order of the server's clock
// and returns the events in the order they ended.
func (s *sim) play(as []*attempt) []limitcheck.Event {
	type moment struct {
		at     time.Time
		a      *attempt
		commit bool
	}
	var line []moment
	for _, a := range as {
		line = append(line, moment{a.begin, a, false}, moment{a.verified, a, true})
	}
	slices.SortStableFunc(line, func(x, y moment) int {
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(fmt.Sprint(x.commit), fmt.Sprint(y.commit)))
	})
	for _, m := range line {
		if m.commit {
			s.commit(m.a, m.at)
		} else {
			s.begin(m.a, m.at)
		}
	}
	out := make([]limitcheck.Event, len(as))
	for i, a := range as {
		out[i] = a.ev
	}
	slices.SortStableFunc(out, func(x, y limitcheck.Event) int { return x.Done.Compare(y.Done) })
	return out
}

func (s *sim) shelf(a *attempt) *shelf {
	from := a.from
	switch s.fault {
	case "global":
		from = netip.Addr{}
	case "two replicas":
		if s.rng.IntN(2) == 0 {
			b := from.As4()
			from = netip.AddrFrom4([4]byte{b[0], b[1] + 100, b[2], b[3]})
		}
	}
	h, ok := s.state[from]
	if !ok {
		h = &shelf{}
		s.state[from] = h
	}
	return h
}

func (s *sim) begin(a *attempt, now time.Time) {
	h := s.shelf(a)
	window, limit := s.rule.Window, s.rule.Limit
	switch s.fault {
	case "sticky":
		window *= 3
	case "widened":
		limit++
	}
	if s.fault == "forgets" && s.rng.IntN(40) == 0 {
		h.locked = time.Time{}
	}
	late := time.Duration(0)
	if s.fault == "late" {
		late = 40 * time.Second
	}
	if h.locked.Add(late).After(now) {
		if s.fault == "extends" {
			h.locked = now.Add(s.rule.Lock)
		}
		if s.fault == "oracle" && a.right {
			a.admitted = true
			return
		}
		s.refuse(a, max(h.locked.Sub(now), 0))
		return
	}
	h.failed = slices.DeleteFunc(h.failed, func(m mark) bool { return !m.at.After(now.Add(-window)) })
	switch n := len(h.failed); {
	case n >= limit:
		lock := s.rule.Lock
		if s.fault == "short" {
			lock /= 10
		}
		h.locked, h.failed = now.Add(lock), nil
		s.refuse(a, lock)
		return
	case n+h.pending >= limit && s.fault != "racy":
		s.refuse(a, time.Second)
		a.ev.Remaining = limit - n
		return
	}
	h.pending++
	a.admitted = true
}

func (s *sim) commit(a *attempt, now time.Time) {
	if !a.admitted {
		return
	}
	h := s.shelf(a)
	h.pending = max(0, h.pending-1)
	status := 200
	if a.right {
		h.failed = slices.DeleteFunc(h.failed, func(m mark) bool { return m.user == a.user || s.fault == "clears all" })
	} else {
		status = 401
		h.failed = append(h.failed, mark{now, a.user})
	}
	a.ev = s.event(a, now, status)
	a.ev.Remaining = max(0, s.rule.Limit-len(h.failed))
	if s.fault == "generous" {
		a.ev.Remaining++
	}
	if s.fault == "stingy" && a.ev.Remaining > 0 {
		a.ev.Remaining--
	}
}

func (s *sim) refuse(a *attempt, wait time.Duration) {
	a.ev = s.event(a, a.begin, 429)
	a.ev.RetryAfter = int((wait + time.Second - 1) / time.Second)
	if s.fault == "retry 0" {
		a.ev.RetryAfter = 0
	}
	a.ev.Remaining = 0
}

func (s *sim) event(a *attempt, answered time.Time, status int) limitcheck.Event {
	return limitcheck.Event{
		Sent: a.sent, Done: answered.Add(time.Duration(s.rng.IntN(20)) * time.Millisecond), From: a.from, User: a.user,
		Policy: "login", Status: status, Limit: s.rule.Limit, RetryAfter: -1, Step: "sign in",
	}
}

// plan makes a random afternoon of sign-ins: colleagues with typos, guessers,
// bursts, and patience that ends now and then exactly at a lock's end.
func plan(rng *rand.Rand, rule limitcheck.Rule) []*attempt {
	now := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	var out []*attempt
	add := func(at time.Time, from byte, user string, right bool) {
		begin := at.Add(time.Duration(rng.IntN(5000)) * time.Microsecond)
		out = append(out, &attempt{
			sent: at, begin: begin, verified: begin.Add(time.Duration(5+rng.IntN(400)) * time.Millisecond),
			from: netip.AddrFrom4([4]byte{127, 9, 0, from}), user: user, right: right,
		})
	}
	for from := range byte(6) {
		at := now.Add(time.Duration(rng.IntN(5000)) * time.Millisecond)
		for range 60 {
			user := fmt.Sprintf("u%d-%d", from, rng.IntN(3))
			switch rng.IntN(10) {
			case 0:
				for range 4 + rng.IntN(12) {
					add(at.Add(time.Duration(rng.IntN(1000))*time.Microsecond), from, user, rng.IntN(6) == 0)
				}
				at = at.Add(2 * time.Second)
			case 1:
				at = at.Add(rule.Lock + time.Duration(rng.IntN(3))*time.Second)
			case 2:
				at = at.Add(rule.Window/2 + time.Duration(rng.Int64N(int64(rule.Window))))
			case 3, 4:
				add(at, from, user, true)
				at = at.Add(time.Duration(1+rng.IntN(30)) * time.Second)
			default:
				add(at, from, user, false)
				at = at.Add(time.Duration(rng.IntN(20000)) * time.Millisecond)
			}
		}
	}
	return out
}
