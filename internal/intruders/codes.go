package intruders

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/pquerna/otp/totp"

	"vitals/internal/wire"
	"vitals/scenarios"
)

// coder has a victim's password and guesses the code of the second factor.
type coder struct {
	actor
	codes     judge
	secret    string
	challenge string
	tries     int // wrong codes that the challenge has taken
	guesses   int
}

// tries of one challenge; a good server takes no more of them, and one that does
// is not asked to.
const tries = 5

// prepare gives the victim a second factor, from an address of the victim's own.
// It confirms with the code of the step before this one, so that the code of this
// step is still unspent.
func (c *coder) prepare(ctx context.Context) {
	c.codes = c.judge(c.in, "two_factor_verify", c.policy(twoFactor))
	c.lock = c.codes.lockout()
	c.seen.Promised = c.codes.Limit.Limit
	if c.seen.Trouble = c.lacks(needs[scenarios.CodeGuessing]...); c.seen.Trouble != "" {
		return
	}
	token, ok := "", true
	for ok && token == "" { // one that an earlier run gave a second factor has it for good
		var ans wire.Answer
		c.victim, ans, _ = c.reach(ctx, c.other, c.victim)
		if token = c.field("login", ans, "access_token"); token == "" {
			var next Victim
			if next, ok = c.spare(); ok {
				c.victim = next
			}
		}
	}
	ans := c.do(ctx, "two_factor_enrol", token, map[string]string{"password": c.victim.Password})
	if c.secret = c.field("two_factor_enrol", ans, "secret"); c.secret == "" {
		c.fail("no second factor could be made for its victim (status %d)", ans.Status)
		return
	}
	ans = c.do(ctx, "two_factor_confirm", token, map[string]string{"code": c.code(-1)})
	if !c.Profile.Operations["two_factor_confirm"].Succeeded(ans.Status) {
		c.fail("its victim's second factor could not be put in force (status %d)", ans.Status)
	}
}

// do sends one of the victim's own requests, from where they live.
func (a *actor) do(ctx context.Context, operation, token string, values map[string]string) wire.Answer {
	q, err := a.operation(operation, a.other, token, a.victim, values)
	if err != nil {
		a.fail("%v", err)
		return wire.Answer{}
	}
	ans, _ := a.ask(ctx, q, a.judge(a.in, operation, q.Policy))
	return ans
}

// code is the right one, steps of 30 s from now; "000000" for a secret that is no
// base32, which no server makes.
func (c *coder) code(steps int) string {
	s, err := totp.GenerateCode(c.secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		return "000000"
	}
	return s
}

// wrongCode is another one each time, and none that is right around now.
func (c *coder) wrongCode() string {
	var right []string
	for step := -3; step <= 3; step++ {
		right = append(right, c.code(step))
	}
	for {
		c.guesses++
		if code := fmt.Sprintf("%06d", c.guesses*7919%1_000_000); !slices.Contains(right, code) {
			return code
		}
	}
}

// work guesses codes until the lock, or until its guesses are spent, then goes on with
// a challenge that is new, tries the right code while locked, and lets the victim in
// from home.
func (c *coder) work(ctx context.Context) {
	c.seen.Everywhere, c.seen.Waits = everywhere(c.codes.Limit), c.codes.Limit.Delay.From > 0
	c.guess(ctx, c.in.Guesses)
	if why := unlockable(c.codes.Limit); why != "" && c.seen.Trouble == "" {
		c.seen.Excess = c.lock.excess
		c.complete(ctx, c.seen.Judged+c.seen.Refused > 0)
		c.fail("what a lock is worth was not asked: profile %s promises %s", c.Profile.Name, why)
		return
	}
	for extra := 0; c.in.Guesses > 0 && c.seen.Refused == 0 && c.seen.Judged <= c.lock.allowed() && extra < c.lock.allowed() && c.lost < patience && c.seen.Trouble == "" && ctx.Err() == nil; extra++ {
		c.guess(ctx, 1)
	}
	c.renew(ctx)
	c.guess(ctx, 2)
	if c.begin(ctx) {
		q, err := c.verify(c.own, c.challenge, c.code(0))
		if err != nil {
			c.fail("%v", err)
			return
		}
		switch ans, r := c.insist(ctx, stepKnowingCode, q, c.codes, refused); {
		case r == granted && c.lock.over(ans):
			c.fail("its lock was over before the right code could be tried in it: run it again, or let it guess faster (every:)")
			return
		case r == granted:
			c.seen.Knowing++
			c.seen.Leaked++
		case r == refused, r == wrong:
			c.seen.Knowing++
		}
	}
	// A code that was let in while locked is spent: its owner could not use it either.
	if !c.seen.Everywhere && c.seen.Leaked == 0 {
		c.home(ctx)
	}
	c.seen.Excess = c.lock.excess
	c.complete(ctx, c.seen.Trouble == "" && c.seen.Judged > 0 && c.seen.Knowing > 0 && (c.seen.Standing > 0 || c.seen.Everywhere || c.seen.Leaked > 0))
}

// renew signs in for another challenge: a count that is kept by challenge begins anew
// with each. Where the lock refuses the sign-in as well, the old one stays.
func (c *coder) renew(ctx context.Context) {
	if c.seen.Refused == 0 {
		return
	}
	ans, _ := c.ask(ctx, c.signIn(c.own, c.victim.Email, c.victim.Password), c.login)
	if fresh := c.field("login", ans, "challenge_token"); fresh != "" {
		c.challenge, c.tries = fresh, 0
	}
}

// guess tries wrong codes until n were judged or refused by the lock.
func (c *coder) guess(ctx context.Context, n int) {
	for n > 0 && c.turn(ctx) {
		if !c.begin(ctx) {
			return
		}
		q, err := c.verify(c.own, c.challenge, c.wrongCode())
		if err != nil {
			c.fail("%v", err)
			return
		}
		ans, r := c.send(ctx, q, c.codes)
		step := stepGuessingCode
		if c.lock.due(ans, c.lock.limit) {
			step = stepRefusedCode
		}
		c.record(step, ans, c.codes, r == refused || step == stepGuessingCode && r == wrong)
		rest := c.in.Every
		if c.note(ans, r) {
			n--
		} else {
			rest = max(rest, pause)
		}
		if c.lost >= patience || !c.wait(ctx, rest) {
			return
		}
	}
}

// verify answers a challenge.
func (c *coder) verify(from netip.Addr, challenge, code string) (wire.Request, error) {
	return c.operation("two_factor_verify", from, "", c.victim, map[string]string{"challenge_token": challenge, "code": code})
}

// begin sees to it that there is a challenge which still takes codes.
func (c *coder) begin(ctx context.Context) bool {
	if c.challenge != "" && c.tries < tries {
		return true
	}
	ans, _ := c.ask(ctx, c.signIn(c.own, c.victim.Email, c.victim.Password), c.login)
	c.challenge, c.tries = c.field("login", ans, "challenge_token"), 0
	if c.challenge == "" {
		c.fail("its victim's sign-in asks for no second factor (status %d)", ans.Status)
	}
	return c.challenge != ""
}

// note adds a wrong code's answer, and reports whether trying again would change
// nothing.
func (c *coder) note(ans wire.Answer, r reading) bool {
	switch r {
	case nothing:
		c.seen.Lost++
		return false
	case refused:
		c.seen.Refused++
		c.lock.refused(ans)
	case wrong, granted:
		c.tries++
		c.judged(c.codes, ans, r)
		if c.lock.judged(ans) {
			c.seen.AfterLock++
		}
	}
	return true
}

// home signs the victim in with both factors from where they live.
func (c *coder) home(ctx context.Context) {
	ans, r := c.ask(ctx, c.signIn(c.other, c.victim.Email, c.victim.Password), c.login)
	if r == refused {
		c.seen.Standing++
		c.seen.Harmed++
		return
	}
	q, err := c.verify(c.other, c.field("login", ans, "challenge_token"), c.code(0))
	if err != nil {
		c.fail("%v", err)
		return
	}
	switch _, r = c.insist(ctx, stepStanding, q, c.codes, granted); r {
	case granted:
		c.seen.Standing++
	case refused, wrong:
		c.seen.Standing++
		c.seen.Harmed++
	}
}
