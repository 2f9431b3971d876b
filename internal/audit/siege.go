package audit

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/wire"
)

// besiegers is the load of a siege: honest requests and guesses in open loops. It
// shares the machine with the API, so whatever can be prepared is prepared, and
// calls and their goroutines are used again.
type besiegers struct {
	t       *T
	client  *wire.Raw
	honest  []*wire.Call // prototypes, one for each user
	attack  []*wire.Call // one for each address
	accused []Request    // what the history is told of each
	spare   sync.Pool    // of *wire.Call

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
		t: live, client: wire.NewRaw(hostPort(live.target.URL.Host, "80"), nil),
		spare: sync.Pool{New: func() any { return new(wire.Call) }},
		quiet: arm{errors: map[int]int{}}, attacked: arm{errors: map[int]int{}}, onset: arm{errors: map[int]int{}},
		judged: map[netip.Addr]int{}, guesses: map[int]int{}, odd: map[string]int{},
	}
	for _, u := range users {
		q := live.Request("list", u.from, u.access, nil)
		s.honest = append(s.honest, live.call(&q, ""))
	}
	for _, at := range from {
		// An account for each address: none is guessed at often enough to be throttled.
		q := live.Login(at, stranger(), wrongPassword())
		s.attack, s.accused = append(s.attack, live.call(&q, "")), append(s.accused, q)
	}
	return s
}

// stretch runs the honest load for a while, with the attack or without.
func (s *besiegers) stretch(a *arm, d time.Duration, attack bool) {
	began := time.Now()
	s.client.Start(began)
	var wg sync.WaitGroup
	wg.Go(func() {
		s.paced(began, d, honestRate, 0, func(n int, due time.Duration) {
			c := s.send(s.honest[n%len(s.honest)])
			s.mu.Lock()
			a.lag = append(a.lag, c.Began-due)
			if c.Code == http.StatusOK {
				a.honest = append(a.honest, c.Done-due)
			} else {
				a.errors[c.Code]++
			}
			s.mu.Unlock()
			s.spare.Put(c)
		})
	})
	if attack {
		wg.Go(func() {
			s.paced(began, d, attackRate, 2*time.Millisecond, func(n int, _ time.Duration) {
				c := s.send(s.attack[n%len(s.attack)])
				s.guessed(n%len(s.attack), c, began)
				s.spare.Put(c)
			})
		})
	}
	wg.Wait()
}

// guessed takes the answer to a guess into the books.
func (s *besiegers) guessed(who int, c *wire.Call, began time.Time) {
	q := &s.accused[who]
	id, _ := c.Header("X-Request-ID")
	s.t.run.note(s.t.target, limitcheck.Event{
		Sent: began.Add(c.Began), Done: began.Add(c.Done), From: q.From, User: q.Account, Policy: q.Policy, Status: c.Code,
		Limit: whole(c, "X-RateLimit-Limit"), Remaining: whole(c, "X-RateLimit-Remaining"),
		RetryAfter: whole(c, "Retry-After"), ID: string(id), Step: "guess of a siege",
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	s.guesses[c.Code]++
	switch {
	case c.Code == http.StatusUnauthorized:
		s.judged[q.From]++
	case c.Code == http.StatusTooManyRequests:
	case c.Code == http.StatusServiceUnavailable && whole(c, "Retry-After") >= 1: // no capacity to judge it
	default:
		s.odd[came(c)]++
	}
}

// came is a status, or the kind of trouble that there was instead: the trouble's
// own words have a port in them, and each would be a line.
func came(c *wire.Call) string {
	if c.Err != nil {
		return fmt.Sprintf("no answer (%s)", c.Class)
	}
	return strconv.Itoa(c.Code)
}

// whole is a header's whole number, -1 without one.
func whole(c *wire.Call, name string) int {
	text, _ := c.Header(name)
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// send sends what a prototype says. The call goes back to the spare ones.
func (s *besiegers) send(like *wire.Call) *wire.Call {
	c := s.spare.Get().(*wire.Call)
	c.Method, c.Path, c.Lines, c.Body = like.Method, like.Path, like.Lines, like.Body
	c.From, c.Timeout, c.Keep = like.From, like.Timeout, 0
	s.client.Do(s.t.ctx, c)
	return c
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
