package intruders

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"sync"
	"time"

	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/internal/wire"
)

// sprayer tries wrong passwords from many addresses at a rate: an open loop, for
// attackers do not wait for answers. It is one member for all its addresses.
type sprayer struct {
	actor
	from   []netip.Addr
	owners []owner
	domain string // of the emails that nobody has

	mu     sync.Mutex // over the counts and what is seen
	counts map[key]*count
	lag    *measure.Histogram
}

// key is what a limit counts by: an address, an account, or both together, each by
// its number; none = it is not told apart by that.
type key struct{ from, owner int }

const none = -1

// count is what was judged under one key.
type count struct {
	meter  meter
	locked struct{ seen, until time.Time } // since it was surely told, and until when
}

// owner is the person whose account is sprayed, and where they live: an address
// that they have signed in from before.
type owner struct {
	Victim
	home netip.Addr
}

func (m maker) sprayer() *sprayer {
	y := &sprayer{actor: m.actor(), counts: map[key]*count{}, lag: measure.NewHistogram(), domain: "clinic.test"}
	for range m.in.Addresses {
		y.from = append(y.from, m.place())
	}
	for range m.in.Accounts {
		y.owners = append(y.owners, owner{m.victim(), m.place()})
	}
	if _, domain, ok := strings.Cut(y.owners[0].Email, "@"); ok {
		y.domain = domain
	}
	return y
}

func (y *sprayer) prepare(ctx context.Context) {
	for i, o := range y.owners {
		victim, ans, r := y.reach(ctx, o.home, o.Victim)
		if y.owners[i].Victim = victim; r != granted {
			y.fail("an account that it was to attack could not sign in before (status %d)%s", ans.Status, waits(ans))
			return
		}
	}
	y.seen.Lost = 0 // that was before
}

func (y *sprayer) work(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(y.load, cancel)()
	defer cancel()
	var visits sync.WaitGroup
	visitor := y.actor // copied before anything is counted
	visitor.seen, visitor.lost = Attack{}, 0
	if y.seen.Everywhere = everywhere(y.login.Limit); !y.seen.Everywhere {
		visits.Go(func() { visitor.visit(ctx, y.owners) })
	}
	whole := y.shoot(ctx)
	visits.Wait()
	y.seen.Standing, y.seen.Harmed, y.seen.Again = visitor.seen.Standing, visitor.seen.Harmed, visitor.seen.Lost
	y.seen.Wrong += visitor.seen.Wrong
	for status, n := range visitor.seen.Unknown {
		y.fail("a right sign-in amid the attack: %s", y.login.undeclared(map[int]int{status: n}))
	}
	if visitor.seen.Trouble != "" {
		y.fail("%s", visitor.seen.Trouble)
	}
	for _, c := range y.counts {
		y.seen.Excess = max(y.seen.Excess, c.meter.excess)
	}
	y.seen.Grows = y.login.Limit.Delay.From > 0
	y.seen.Addresses, y.seen.Rate = len(y.from), y.in.Rate
	y.seen.Lag, _ = y.lag.Quantile(0.95)
	y.complete(context.WithoutCancel(ctx), y.seen.Trouble == "" && whole && (y.seen.Standing > 0 || y.seen.Everywhere) && y.seen.Judged+y.seen.Refused > 0)
}

// visit signs the owners in from where they live, amid each of the attack's
// spans: whoever has been there before must not pay for the attack.
func (a *actor) visit(ctx context.Context, owners []owner) {
	for _, h := range a.spans {
		if !a.wait(ctx, h.From+(h.To-h.From)/2-time.Since(a.began)) {
			return
		}
		for _, o := range owners {
			a.victim = o.Victim
			a.stand(ctx, o.home)
		}
	}
}

// senders is how many guesses may be on their way at once. A server that lets
// attackers wait holds as many connections of ours; what is due then is missed,
// and counted.
const senders = 2048

// shot is one guess of the schedule.
type shot struct {
	n   int
	due time.Duration
}

// shoot sends the guesses as they are due. A free sender takes the next one, a
// new one is made when there is none. It reports whether it came to the end.
func (y *sprayer) shoot(ctx context.Context) bool {
	shots := make(chan shot)
	var all sync.WaitGroup
	defer all.Wait()
	defer close(shots)
	made := 0
	for s := range y.schedule() {
		if !y.wait(ctx, s.due-time.Since(y.began)) {
			return time.Since(y.began) >= y.spans[len(y.spans)-1].To
		}
		y.lag.Record(time.Since(y.began) - s.due)
		y.seen.Planned++
		select {
		case shots <- s:
			continue
		default:
		}
		if made == senders {
			y.seen.Missed++
			y.Missed(y.index[stepSpraying], s.due)
			continue
		}
		made++
		all.Go(func() {
			y.guess(ctx, s)
			for s := range shots {
				y.guess(ctx, s)
			}
		})
	}
	return true
}

// schedule is every guess, in its order.
func (y *sprayer) schedule() iter.Seq[shot] {
	return func(yield func(shot) bool) {
		n := 0
		for _, h := range y.spans {
			for k := 0; ; k++ {
				due := h.From + time.Duration(float64(k)/y.in.Rate*float64(time.Second))
				if due >= h.To {
					break
				}
				if y.in.Guesses > 0 && n >= y.in.Guesses*len(y.from) || !yield(shot{n, due}) {
					return
				}
				n++
			}
		}
	}
}

// drawn is whose turn guess n is of so many addresses, and which account it tries: one
// guess of an address in many is at a real one, and so it comes to try every one.
func drawn(n, addresses, accounts, many int) (at, account int, real bool) {
	row := n / addresses
	at = n % addresses
	return at, (row/many + at) % accounts, (row+at)%many == 0
}

// guess sends shot n.
func (y *sprayer) guess(ctx context.Context, s shot) {
	at, owner, real := drawn(s.n, len(y.from), len(y.owners), y.in.UnknownAccounts+1)
	email, word := "", "not-the-password-of-anybody"
	if real {
		o := y.owners[owner]
		email, word = o.Email, "not-"+o.Password
	} else {
		email = fmt.Sprintf("nobody-%d@%s", s.n, y.domain)
	}
	ans, _ := y.s.Send(ctx, y.signIn(y.from[at], email, word)) // trouble is in the answer
	if ctx.Err() != nil && ans.Status == 0 {
		return // cut off by the end of it all
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	r := y.read(ans, y.login)
	sample := measure.Sample{
		Step: y.index[stepSpraying], Code: ans.Status, Class: ans.Class, Bytes: ans.Bytes, Planned: true,
		OK:  r == wrong || y.login.refuses(ans),
		Due: s.due, Sent: ans.Sent.Sub(y.began), Done: ans.Done.Sub(y.began), RequestID: requestID(ans, strings.TrimPrefix(word, "not-")),
	}
	classified(&sample, y.login.refuses(ans))
	y.seen.at(&sample)
	y.Record(&sample)
	if !real {
		owner = none // a name of its own for each guess: no limit by accounts is met
	}
	y.note(y.countsOf(at, owner), ans, r)
}

// countsOf are those in which the limit has a guess from an address at an account; none
// where no profile says by what it counts.
func (y *sprayer) countsOf(at, owner int) (counts []*count) {
	var keys []key
	switch by := y.login.Limit.By; {
	case y.login.bare:
	case by == profile.ByPair && owner != none:
		keys = []key{{at, owner}}
	case by == profile.ByAccount && owner != none:
		keys = []key{{none, owner}}
	case by == profile.ByBoth && owner != none:
		keys = []key{{at, none}, {none, owner}}
	case by != profile.ByPair && by != profile.ByAccount:
		keys = []key{{at, none}}
	}
	for _, k := range keys {
		if y.counts[k] == nil {
			y.counts[k] = &count{meter: y.login.meter()}
		}
		counts = append(counts, y.counts[k])
	}
	return counts
}

// note adds a guess's answer to what is seen, and to what is known of its counts.
func (y *sprayer) note(counts []*count, ans wire.Answer, r reading) {
	y.seen.Sent++
	switch r {
	case nothing:
		if !y.login.broke(ans) {
			y.seen.Lost++
		}
	case wrong, granted:
		y.judged(y.login, ans, r)
		inside := false
		for _, c := range counts {
			c.meter.judged(ans)
			inside = inside || ans.Sent.After(c.locked.seen) && ans.Done.Before(c.locked.until)
		}
		if inside {
			y.seen.AfterLock++
		}
	case refused:
		y.seen.Refused++
		// Another limit's refusal looks alike. It is this one's own lock once it has had
		// its limit judged.
		for _, c := range counts {
			if limit := c.meter.limit; limit > 0 && len(c.meter.sure) >= limit && ans.Done.After(c.locked.until) {
				wait, _ := retryAfter(ans)
				c.locked.seen, c.locked.until = ans.Done, ans.Done.Add(wait)
			}
		}
	}
}
