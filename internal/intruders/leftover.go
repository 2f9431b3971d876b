package intruders

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vitals/internal/wire"
)

// meet guesses until the lock. A victim whose account was refused before, for an earlier
// run or somebody else guessed at it, gives way to a spare one. It reports false when
// what follows could not be read.
func (g *guesser) meet(ctx context.Context) bool {
	for {
		before := g.seen.Judged
		if g.in.AtOnce {
			g.burst(ctx)
		} else {
			g.guess(ctx, g.in.Guesses)
		}
		// What was lost to shedding and full queues, and what is lacking to the limit, is
		// made up for one by one, so that the lock is met in any case.
		for extra := 0; g.in.Guesses > 0 && g.seen.Refused == 0 && g.seen.Judged <= g.lock.allowed() && extra < g.in.Guesses+g.lock.allowed() && g.lost < patience && g.seen.undeclared == "" && ctx.Err() == nil; extra++ {
			g.guess(ctx, 1)
		}
		if g.seen.undeclared != "" {
			g.complete(ctx, false)
			return false
		}
		sooner := g.seen.Judged < g.login.Limit.Limit && (g.seen.Judged == before || !g.login.bare) // than anybody promised
		if g.in.Guesses == 0 || g.seen.Refused == 0 || !sooner {
			return true
		}
		switch ans, r := g.asUnknown(ctx); {
		case r == refused && g.seen.Judged == 0:
			g.fail("its address was refused before its first guess (status %d)%s: an earlier run, or somebody else, left it locked", ans.Status, waits(ans))
			return false
		case r != wrong: // it is the API's own fault, and stands in the figures
			return true
		case !g.replace(ans):
			lacks := ", and there is no spare account in its place"
			if everywhere(g.login.Limit) {
				lacks = ""
			}
			g.fail("its victim's account was refused after %d wrong passwords, and others from the same address were not%s: an earlier run, or somebody else, guessed at it%s", g.seen.Judged, asking(g.seen.RetryAfter), lacks)
			return false
		}
	}
}

// asUnknown signs in from where a lock came before its time, to an account that does not
// exist: what is refused, the address or the victim's account?
func (g *guesser) asUnknown(ctx context.Context) (wire.Answer, reading) {
	_, domain, _ := strings.Cut(g.victim.Email, "@")
	return g.ask(ctx, g.signIn(g.own, fmt.Sprintf("nobody-%s@%s", g.own, domain), "not-the-password-of-anybody"), g.login)
}

// replace takes a spare victim, where the lock is of the address: what was judged from
// there goes on to count, the sign-in to no account among it, and the refusals were of the other
// account. It reports false when there is none.
func (g *guesser) replace(judged wire.Answer) bool {
	if everywhere(g.login.Limit) {
		return false
	}
	next, ok := g.spare()
	if !ok {
		return false
	}
	g.victim = next
	g.seen.Replaced++
	g.seen.Refused, g.seen.RetryAfter, g.lock = 0, 0, g.lock.reopened()
	g.note(judged, wrong)
	return true
}

// waits is how long an answer asks to wait, in words.
func waits(a wire.Answer) string {
	if wait, told := retryAfter(a); told {
		return asking(wait)
	}
	return ""
}

// asking is a wait in words; "" for none.
func asking(wait time.Duration) string {
	if wait <= 0 {
		return ""
	}
	return fmt.Sprintf(", wait %s", wait)
}
