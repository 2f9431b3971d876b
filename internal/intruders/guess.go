package intruders

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// guesser tries wrong passwords until it is locked out, then the right one; with
// a forged address in every request, if that is its kind.
type guesser struct {
	actor
	forged int
	loose  string // why a burst was none
}

// farthest is the limit above which no lock is met by guessing.
const farthest = 200

// prepare has the victim sign in from where they live, where the API promises to
// throttle or to lock accounts that are guessed at from everywhere: it then knows them
// there, and a refusal of theirs is the lock's doing; one that is refused already gives
// way to a spare account.
func (g *guesser) prepare(ctx context.Context) {
	limit := g.login.Limit
	if limit.Account == 0 && !(everywhere(limit) && limit.Counts == profile.Failures) {
		return
	}
	victim, ans, r := g.reach(ctx, g.other, g.victim)
	if g.victim = victim; r == refused {
		g.fail("its victim could not sign in before the run (status %d)%s: an earlier run, or somebody else, guessed at the account", ans.Status, waits(ans))
	}
}

// work guesses until the lock, or until its guesses are spent, then asks what a
// lock is worth: further guesses, the right password, and the same account from
// elsewhere.
func (g *guesser) work(ctx context.Context) {
	g.seen.AtOnce, g.seen.Everywhere, g.lock = g.in.AtOnce, everywhere(g.login.Limit), g.login.lockout()
	limit := g.login.Limit
	if !g.turn(ctx) || g.seen.Trouble != "" {
		return
	}
	if why := unlockable(g.login.Limit); why != "" { // whether a wrong password is let in is asked all the same
		g.guess(ctx, g.in.Guesses)
		shown := g.seen.Judged+g.seen.Refused > 0
		if g.lock.delay.From > 0 {
			g.seen.Waits, shown = true, g.hasten(ctx)
		}
		g.seen.Promised, g.seen.Excess = 0, g.lock.excess
		g.complete(ctx, shown)
		g.fail("what a lock is worth was not asked: profile %s promises %s", g.Profile.Name, why)
		return
	}
	if !g.meet(ctx) {
		return
	}
	if g.lock.never(g.seen.Judged) {
		g.fail("at this pace its guesses never met the limit of %d in %v: %d were judged, and no %d of them in one window", limit.Limit, limit.Window, g.seen.Judged, g.lock.allowed()+1)
		return
	}
	g.guess(ctx, 2)
	if g.login.bare && !g.lock.shut { // nobody promised one
		g.tell(ctx, g.seen.Judged > 0)
		g.fail("what a lock is worth was not asked: none refused its wrong passwords, and no profile says that one should")
		return
	}
	switch ans, r := g.insist(ctx, stepKnowing, g.request(g.own, g.victim.Password), g.login, refused); r {
	case granted:
		if g.lock.over(ans) {
			what := "its lock"
			if g.login.bare {
				g.tell(ctx, true)
			}
			if limit.Lock == 0 {
				what = "the window in which it was refused"
			}
			g.fail("%s was over before the right password could be tried in it (Retry-After %s): run it again, or let it guess faster (every:)", what, g.seen.RetryAfter)
			return
		}
		g.let(g.login, ans)
	case refused:
		g.seen.Knowing++
	case wrong: // the lock's answer, if that is what it is, was another to the guesses
		g.seen.Knowing++
		g.seen.Wrong++
	}
	g.locked = false // elsewhere, a short wait is a queue's again
	if !g.seen.Everywhere {
		g.stand(ctx, g.other)
	}
	g.tell(ctx, g.seen.Knowing > 0 && (g.seen.Standing > 0 || g.seen.Everywhere))
	if g.loose != "" {
		g.fail("its guesses prove nothing about guesses at the same time: %s", g.loose)
	}
}

// tell completes the attack with how many its lock admitted.
func (g *guesser) tell(ctx context.Context, shown bool) {
	g.seen.Excess, g.seen.Admitted = g.lock.excess, g.lock.total()
	g.complete(ctx, shown)
}

// hasten guesses until a try came that was to wait, and tells the right password amid
// the wait. It reports whether a try met one, or was judged without.
func (g *guesser) hasten(ctx context.Context) bool {
	for extra := 0; g.in.Guesses > 0 && g.seen.Refused == 0 && g.seen.Judged < g.lock.waits() && extra < g.lock.waits() && g.lost < patience && ctx.Err() == nil; extra++ {
		g.guess(ctx, 1)
	}
	if g.lock.shut && time.Until(g.lock.until) > time.Second {
		switch ans, r := g.insist(ctx, stepKnowing, g.request(g.own, g.victim.Password), g.login, refused); {
		case r == granted && !g.lock.over(ans):
			g.let(g.login, ans)
		case r == refused:
			g.seen.Knowing++
		}
	}
	return g.seen.Refused+g.seen.Lost > 0 || g.seen.Judged >= g.lock.waits()
}

// everywhere tells whether a limit's lock is felt wherever its account signs in from.
func everywhere(l profile.Limit) bool {
	return l.By == profile.ByAccount || l.By == profile.ByBoth
}

// unlockable says why no lock can be met by guessing, as what a profile promises; ""
// when one can.
func unlockable(limit profile.Limit) string {
	switch {
	case limit.Limit == 0:
		return "no limit on sign-ins"
	case limit.Delay.From > 0:
		return "a wait that grows with each try"
	case limit.Limit > farthest:
		return fmt.Sprintf("a lock after %d wrong passwords, too many to be tried", limit.Limit)
	}
	return ""
}

// stand signs the victim in from an address that nobody has attacked from.
func (a *actor) stand(ctx context.Context, home netip.Addr) {
	switch ans, r := a.insist(ctx, stepStanding, a.signIn(home, a.victim.Email, a.victim.Password), a.login, granted); r {
	case granted:
		a.seen.Standing++
	case refused:
		a.seen.Standing++
		a.seen.Harmed++
	case wrong:
		a.fail("its victim's own password was judged wrong from elsewhere (status %d): the account is not what it should be, or its lock answers as a wrong password does", ans.Status)
	}
}

// guess tries wrong passwords one after the other until n of them were judged or
// refused by the lock; the others prove nothing and are repeated, up to patience.
func (g *guesser) guess(ctx context.Context, n int) {
	for n > 0 && g.turn(ctx) {
		ans, r := g.send(ctx, g.request(g.own, g.wrong()), g.login)
		// The step is what a correct lockout makes of this guess: judged until
		// the limit, refused from then on, until the lock is over.
		step := stepGuessing
		if g.lock.due(ans, g.seen.Limit) {
			step = stepRefused
		}
		// The guess that exceeds the limit is where refusals begin; a server that does
		// not tell its limit in headers is not blamed for where it draws the line
		// here, the fact lockout.admitted judges that.
		g.record(step, ans, g.login, r == refused || step == stepGuessing && r == wrong)
		rest := g.in.Every
		if g.note(ans, r) {
			n--
		} else {
			rest = max(rest, pause)
		}
		if g.lost >= patience || g.seen.Unknown[ans.Status] >= puzzling || !g.wait(ctx, rest) {
			return
		}
	}
}

// puzzling is how many answers of an undeclared status are enough.
const puzzling = 3

// burst releases all guesses at once: a counter that reads and then writes
// admits more of them than its limit.
func (g *guesser) burst(ctx context.Context) {
	qs := make([]wire.Request, g.in.Guesses)
	for i := range qs {
		qs[i] = g.request(g.own, g.wrong())
	}
	answers, spread, err := g.s.Burst(ctx, qs)
	if err != nil {
		g.loose = err.Error()
	}
	g.seen.Spread = spread
	// In what order they were judged is the server's choice; how many is not.
	var refusal *wire.Answer
	for i, ans := range answers {
		r := g.read(ans, g.login)
		if r == refused {
			g.seen.Refused++
			refusal = &answers[i]
			g.record(stepRefused, ans, g.login, true)
			continue
		}
		if !g.note(ans, r) {
			g.record(stepGuessing, ans, g.login, g.login.refuses(ans)) // a full queue's refusal is in order
			continue
		}
		g.record(stepGuessing, ans, g.login, r == wrong && (g.seen.Limit == 0 || g.seen.Judged <= g.seen.Limit))
	}
	if refusal != nil {
		g.lock.refused(*refusal)
	}
	g.lost = 0
}

// note counts one wrong guess's answer for this address, and reports whether it
// was judged or refused by a lock, or answered in a way that trying again would not
// change.
func (g *guesser) note(ans wire.Answer, r reading) bool {
	switch r {
	case nothing:
		g.seen.Lost++
		return false
	case refused:
		g.seen.Refused++
		g.lock.refused(ans)
	case wrong, granted:
		g.judged(g.login, ans, r)
		if g.lock.judged(ans) {
			g.seen.AfterLock++
		}
		g.locked = g.lock.limit > 0 && g.seen.Judged >= g.lock.limit
	}
	if limit, ok := told(ans); ok {
		g.seen.Limit = limit
	}
	return true
}

// request is a sign-in to the victim's account.
func (g *guesser) request(from netip.Addr, password string) wire.Request {
	q := g.signIn(from, g.victim.Email, password)
	if g.in.Kind == scenarios.HeaderSpoofing {
		g.forged++
		forge(q.Header, g.forged)
	}
	return q
}

// addressHeaders are those in which proxies tell a client's address, as the audit's
// probe LK17 sends them.
var addressHeaders = []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP"}

// forge writes address n, of the block kept for documentation (RFC 5737), into each
// of addressHeaders, as proxies do, and attackers in their name. Where this driver is
// a trusted proxy, the Sender adds the true address behind it, as a proxy does.
func forge(h http.Header, n int) {
	at := fmt.Sprintf("203.0.113.%d", 1+n%254)
	for _, name := range addressHeaders {
		h.Set(name, at)
	}
	h.Set("Forwarded", "for="+at)
}

// wrong is a password that is surely not the victim's and passes every rule.
func (a *actor) wrong() string { return "not-" + a.victim.Password }
