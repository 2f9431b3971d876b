package audit

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"vitals/internal/wire"
)

// besiegers is the load of a siege: honest requests and guesses in open loops. It
// shares the machine with the API, so whatever can be prepared is prepared, and
// calls and their goroutines are used again.
type besiegers struct {
	t      *T
	client *wire.Client
	honest []Request // one for each user
	attack []Request // one for each address

	mu              sync.Mutex
	quiet, attacked arm
	onset           arm                // the attack until each address has had its guesses judged
	sent            int64              // guesses
	judged          map[netip.Addr]int // guesses answered as wrong
	guesses         map[int]int        // by status
	odd             map[string]int     // guesses answered as nothing that is documented, by what came
}

// arm is what honest users met, with the attack or without.
type arm struct {
	honest []time.Duration // from due time to answer
	lag    []time.Duration // from due time to sending: our own
	errors map[int]int     // answers other than 200, by status
}

func newSiege(live *T, users []session, from []netip.Addr) *besiegers {
	s := &besiegers{
		t: live, client: live.client(),
		quiet: arm{errors: map[int]int{}}, attacked: arm{errors: map[int]int{}}, onset: arm{errors: map[int]int{}},
		judged: map[netip.Addr]int{}, guesses: map[int]int{}, odd: map[string]int{},
	}
	for _, u := range users {
		s.honest = append(s.honest, live.Request("list", u.from, u.access, nil))
	}
	for _, at := range from {
		// An account for each address: none is guessed at often enough to be throttled.
		s.attack = append(s.attack, live.Login(at, unknownAccount(), wrongPassword()))
	}
	return s
}

// stretch runs the honest load for a while, with the attack or without.
func (s *besiegers) stretch(a *arm, d time.Duration, attack bool) {
	began := time.Now()
	var wg sync.WaitGroup
	wg.Go(func() {
		s.paced(began, d, honestRate, 0, func(n int, due time.Duration) {
			c := s.send(s.honest[n%len(s.honest)])
			s.mu.Lock()
			a.lag = append(a.lag, c.Sent.Sub(began)-due)
			if c.Status == http.StatusOK {
				a.honest = append(a.honest, c.Done.Sub(began)-due)
			} else {
				a.errors[c.Status]++
			}
			s.mu.Unlock()
		})
	})
	if attack {
		wg.Go(func() {
			s.paced(began, d, attackRate, 2*time.Millisecond, func(n int, _ time.Duration) {
				c := s.send(s.attack[n%len(s.attack)])
				s.guessed(n%len(s.attack), c)
			})
		})
	}
	wg.Wait()
}

// guessed counts the answer to a guess.
func (s *besiegers) guessed(who int, a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	s.guesses[a.Status]++
	switch {
	case a.Status == http.StatusUnauthorized:
		s.judged[s.attack[who].From]++
	case a.Status == http.StatusTooManyRequests:
	case a.Status == http.StatusServiceUnavailable && a.RetryAfter() >= 1: // no capacity to judge it
	default:
		s.odd[came(a)]++
	}
}

// came is a status, or the kind of trouble that there was instead: the trouble's
// own words have a port in them, and each would be a line.
func came(a Answer) string {
	if a.Err != nil {
		return fmt.Sprintf("no answer (%s)", a.Class)
	}
	return strconv.Itoa(a.Status)
}

// send sends what a prototype says.
func (s *besiegers) send(q Request) Answer {
	a, _ := s.client.Send(s.t.ctx, q) // trouble is in the answer
	return Answer{Answer: a}
}

// paced calls f at a rate in an open loop, beside each other, and waits for all.
// A grain lets calls that are due within it start together, so that we wake
// less often.
func (s *besiegers) paced(began time.Time, d time.Duration, rate int, grain time.Duration, f func(n int, due time.Duration)) {
	type shot struct {
		n   int
		due time.Duration
	}
	idle := make(chan shot) // received by who has nothing to do
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(idle)
	for n := 0; ; n++ {
		next := shot{n, time.Duration(n) * time.Second / time.Duration(rate)}
		if next.due >= d || s.t.ctx.Err() != nil {
			return
		}
		if wait := next.due - time.Since(began); wait > 0 {
			time.Sleep(max(wait, grain))
		}
		select {
		case idle <- next:
		default:
			wg.Go(func() {
				f(next.n, next.due)
				for more := range idle {
					f(more.n, more.due)
				}
			})
		}
	}
}
