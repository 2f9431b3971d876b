package limitcheck_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"vitals/internal/limitcheck"
)

// quotaSim is a sliding log of requests by user, else by address, on a clock of its
// own, broken in a named way: "widened" admits twice as many, "early" one less, "fixed"
// empties at the window's end, "miscounts" tells one too many left.
type quotaSim struct {
	fault  string
	limit  int
	window time.Duration
	log    map[string][]time.Time
}

func (s *quotaSim) take(key string, now time.Time) (admitted bool, left int, wait time.Duration) {
	log := s.log[key]
	if s.fault == "fixed" {
		log = slices.DeleteFunc(log, func(at time.Time) bool { return !at.Truncate(s.window).Equal(now.Truncate(s.window)) })
	} else {
		log = slices.DeleteFunc(log, func(at time.Time) bool { return !at.After(now.Add(-s.window)) })
	}
	defer func() { s.log[key] = log }()
	limit := s.limit
	switch s.fault {
	case "widened":
		limit *= 2 // requests whose count is not sure hide a few more
	case "early":
		limit--
	}
	if len(log) >= limit {
		return false, 0, max(time.Millisecond, log[0].Add(s.window).Sub(now))
	}
	log = append(log, now)
	left = s.limit - len(log)
	if s.fault == "miscounts" {
		left++
	}
	return true, max(0, left), 0
}

// rush is many people at once: accounts shared by several, each from addresses of
// their own, tokens that may have ended, connections that break, answers that
// overtake each other.
func (s *quotaSim) rush(rng *rand.Rand) []limitcheck.Event {
	type asked struct {
		limitcheck.Event
		at  time.Time // of judgement
		key string
	}
	var all []asked
	for worker := range 24 {
		user, from := fmt.Sprintf("u%d", worker%5), netip.AddrFrom4([4]byte{127, 9, 2, byte(1 + worker%4)})
		now := start.Add(time.Duration(rng.IntN(1000)) * time.Millisecond)
		for range 60 {
			e := asked{Event: limitcheck.Event{Sent: now, From: from, User: user, Policy: "p", Limit: s.limit, Remaining: -1, RetryAfter: -1}}
			e.at = now.Add(time.Duration(rng.IntN(30000)) * time.Microsecond)
			e.Done = e.at.Add(time.Duration(rng.IntN(60000)) * time.Microsecond)
			e.key = user
			switch rng.IntN(20) {
			case 0: // nobody's
				e.User, e.key = "", from.String()
			case 1, 2: // a token that may have ended, and has or has not
				if e.Unsure = true; rng.IntN(2) == 0 {
					e.key = from.String()
				}
			}
			all = append(all, e)
			now = e.Done.Add(time.Duration(rng.IntN(900)) * time.Millisecond)
			if rng.IntN(25) == 0 {
				now = now.Add(s.window/2 + time.Duration(rng.Int64N(int64(s.window))))
			}
		}
	}
	slices.SortFunc(all, func(a, b asked) int { return a.at.Compare(b.at) })
	var out []limitcheck.Event
	for _, a := range all {
		lost := rng.IntN(30) == 0
		if lost && rng.IntN(2) == 0 { // it never got there
			a.Status = 0
			out = append(out, a.Event)
			continue
		}
		ok, left, wait := s.take(a.key, a.at)
		switch {
		case ok:
			a.Status, a.Remaining = []int{200, 200, 200, 200, 201, 404, 422, 500}[rng.IntN(8)], left
		default:
			a.Status, a.Remaining, a.RetryAfter = 429, 0, int((wait+time.Second-1)/time.Second)
		}
		if lost {
			a.Status, a.Remaining, a.RetryAfter = 0, -1, -1
		}
		out = append(out, a.Event)
	}
	slices.SortStableFunc(out, func(a, b limitcheck.Event) int { return cmp.Or(a.Done.Compare(b.Done)) })
	return out
}

func TestQuotaUnderARush(t *testing.T) {
	rule := limitcheck.Rule{Limit: 20, Window: 20 * time.Second, By: limitcheck.User}
	caught := map[string]map[string]int{}
	const seeds = 150
	for fault, want := range map[string]string{"": "", "widened": "J1", "fixed": "J1", "early": "J4", "miscounts": "J6"} {
		caught[fault] = map[string]int{}
		for seed := range uint64(seeds) {
			rng := rand.New(rand.NewPCG(seed, 11))
			s := &quotaSim{fault: fault, limit: rule.Limit, window: rule.Window, log: map[string][]time.Time{}}
			c := limitcheck.New(map[string]limitcheck.Rule{"p": rule}, limitcheck.Options{})
			events := s.rush(rng)
			for _, e := range events {
				c.Add(e)
			}
			seen := map[string]bool{}
			for _, v := range c.Finish() {
				seen[v.Rule] = true
				if fault == "" {
					t.Fatalf("seed %d: a healthy quota is accused:\n%v", seed, v)
				}
			}
			for r := range seen {
				caught[fault][r]++
			}
		}
		if want != "" && caught[fault][want] < seeds*8/10 {
			t.Errorf("%s: got %v in %d rushes, want %s in most", fault, caught[fault], seeds, want)
		}
	}
	t.Log(caught)
}
