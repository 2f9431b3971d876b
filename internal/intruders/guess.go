package intruders

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"

	"vitals/internal/wire"
	"vitals/scenarios"
)

// guesser tries wrong passwords until it is locked out, then the right one; with
// a forged address in every request, if that is its kind.
type guesser struct {
	actor
	meter    meter
	forged   int
	bursting bool // answers are noted in the order of release, not of judgement
}

// work guesses until the lock, or until its guesses are spent, then asks what a
// lock is worth: further guesses, the right password, and the same account from
// elsewhere.
func (g *guesser) work(ctx context.Context) {
	g.seen.AtOnce, g.meter = g.in.AtOnce, g.Band.meter(login)
	if !g.turn(ctx) {
		return
	}
	if g.in.AtOnce {
		g.burst(ctx)
		// What the burst lost to shedding and full queues is made up for one by
		// one, so that the lock is met in any case.
		for extra := 0; g.seen.Refused == 0 && extra < g.in.Guesses && ctx.Err() == nil; extra++ {
			g.guess(ctx, 1)
		}
	} else {
		g.guess(ctx, g.in.Guesses)
	}
	g.guess(ctx, 2)
	if ans := g.insist(ctx, knowing, g.request(g.own, g.victim.Password), refusal); answered(ans) {
		g.seen.Knowing++
		if ans.Status != http.StatusTooManyRequests {
			g.seen.Leaked++
		}
	}
	g.stand(ctx, g.other)
	g.seen.Excess = g.meter.excess
	g.seen.Complete = ctx.Err() == nil && g.seen.Knowing > 0 && g.seen.Standing > 0
}

// stand signs the victim in from an address that nobody has attacked from.
func (a *actor) stand(ctx context.Context, home netip.Addr) wire.Answer {
	ans := a.insist(ctx, standing, a.signIn(home, a.victim.Email, a.victim.Password), granted)
	if answered(ans) {
		a.seen.Standing++
		if ans.Status == http.StatusTooManyRequests {
			a.seen.Harmed++
		}
	}
	return ans
}

func refusal(a wire.Answer) bool { return a.Status == http.StatusTooManyRequests }

// guess tries wrong passwords one after the other until n of them were judged or
// refused by the lock; the others prove nothing and are repeated, up to patience.
func (g *guesser) guess(ctx context.Context, n int) {
	for lost := 0; n > 0 && lost < patience && g.turn(ctx); {
		// The step is what a correct lockout makes of this guess: judged until
		// the limit, refused from then on.
		step := guessing
		if g.seen.Refused > 0 || g.seen.Limit > 0 && g.seen.Judged >= g.seen.Limit {
			step = refused
		}
		ans := g.send(ctx, g.request(g.own, g.wrong()))
		// The guess that exceeds the limit is where 429 begins; a server that does
		// not tell its limit in headers is not blamed for where it draws the line
		// here, the fact lockout.admitted judges that.
		g.record(step, ans, refusal(ans) || step == guessing && ans.Status == http.StatusUnauthorized)
		rest := g.in.Every
		if g.note(ans) {
			n--
		} else {
			lost++
			rest = max(rest, pause)
		}
		if !g.wait(ctx, rest) {
			return
		}
	}
}

// burst releases all guesses at once: a counter that reads and then writes
// admits more of them than its limit.
func (g *guesser) burst(ctx context.Context) {
	qs := make([]wire.Request, g.in.Guesses)
	for i := range qs {
		qs[i] = g.request(g.own, g.wrong())
	}
	answers, spread, err := g.s.Burst(ctx, qs)
	if err != nil {
		g.seen.Trouble = err.Error()
	}
	g.seen.Spread = spread
	g.bursting = true
	for _, ans := range answers {
		if broke(ans) {
			g.seen.Wrong++
		}
		if !g.note(ans) {
			g.record(guessing, ans, refusal(ans)) // a full queue's 429 is in order
			continue
		}
		// Which of them are judged is the server's choice; how many is not.
		step, ok := refused, refusal(ans)
		if !ok {
			step, ok = guessing, ans.Status == http.StatusUnauthorized && (g.seen.Limit == 0 || g.seen.Judged <= g.seen.Limit)
		}
		g.record(step, ans, ok)
	}
	g.bursting = false
}

// note adds one wrong guess's answer to the account of this address, and reports
// whether it was judged or refused by a lock.
func (g *guesser) note(ans wire.Answer) bool {
	if !answered(ans) {
		g.seen.Lost++
		return false
	}
	if limit, err := strconv.Atoi(ans.Header.Get("X-RateLimit-Limit")); err == nil {
		g.seen.Limit = limit
	}
	if !refusal(ans) {
		g.judge(&g.meter, ans)
		if g.seen.Refused > 0 && !g.bursting {
			g.seen.AfterLock++
		}
		return true
	}
	retry, _ := locked(ans)
	g.seen.Refused++
	g.seen.RetryAfter = max(g.seen.RetryAfter, retry)
	return true
}

// judge counts a wrong credential that was not refused by a limit.
func (a *actor) judge(m *meter, ans wire.Answer) {
	a.seen.Judged++
	m.judged(ans)
	switch {
	case granted(ans):
		a.seen.Granted++
	case ans.Status != http.StatusUnauthorized:
		a.seen.Wrong++
	}
}

// request is a sign-in to the victim's account.
func (g *guesser) request(from netip.Addr, password string) wire.Request {
	q := g.signIn(from, g.victim.Email, password)
	if g.in.Kind == scenarios.HeaderSpoofing {
		g.forged++
		for name, value := range forged(g.forged) {
			q.Header.Set(name, value)
		}
	}
	return q
}

// forged are what proxies write, and attackers in their name: address n, of the
// block kept for documentation (RFC 5737). Where this driver is a trusted proxy,
// the Sender adds the true address behind it, as a proxy does (LK17, LK18).
func forged(n int) map[string]string {
	at := fmt.Sprintf("203.0.113.%d", 1+n%254)
	return map[string]string{"X-Forwarded-For": at, "X-Real-IP": at, "True-Client-IP": at, "Forwarded": "for=" + at}
}

// wrong is a password that is surely not the victim's and passes every rule.
func (a *actor) wrong() string { return "not-" + a.victim.Password }
