package intruders

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/pquerna/otp/totp"

	"vitals/internal/wire"
)

// coder has a victim's password and guesses the code of the second factor.
type coder struct {
	actor
	meter     meter
	secret    string
	challenge string
	tries     int // wrong codes that the challenge has taken
	guesses   int
}

// tries of one challenge; a good server takes no more of them, and one that does
// is not asked to (hardening LK21).
const tries = 5

// prepare gives the victim a second factor, from an address of the victim's own.
// It confirms with the code of the step before this one, so that the code of this
// step is still unspent.
func (c *coder) prepare(ctx context.Context) {
	c.meter = c.Band.meter(twoFactor)
	if c.seen.Trouble = c.lacks("login", "two_factor_enrol", "two_factor_confirm", "two_factor_verify"); c.seen.Trouble != "" {
		return
	}
	token := c.field("login", c.ask(ctx, c.signIn(c.other, c.victim.Email, c.victim.Password)), "access_token")
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
	return a.ask(ctx, q)
}

// ask sends a request and waits out what proves nothing, without recording it.
func (a *actor) ask(ctx context.Context, q wire.Request) wire.Answer {
	ans := a.send(ctx, q)
	for n := 0; !answered(ans) && n < patience && a.wait(ctx, pause); n++ {
		ans = a.send(ctx, q)
	}
	return ans
}

// fail says why this attack shows nothing; the first reason counts.
func (a *actor) fail(format string, args ...any) {
	if a.seen.Trouble == "" {
		a.seen.Trouble = fmt.Sprintf(format, args...)
	}
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

// work guesses codes until the lock, or until its guesses are spent, then tries
// the right code while locked, and lets the victim in from home.
func (c *coder) work(ctx context.Context) {
	c.guess(ctx, c.in.Guesses)
	c.guess(ctx, 2)
	if c.begin(ctx) {
		q, err := c.verify(c.own, c.challenge, c.code(0))
		if err != nil {
			c.fail("%v", err)
			return
		}
		if ans := c.insist(ctx, knowingCode, q, refusal); answered(ans) {
			c.seen.Knowing++
			if granted(ans) {
				c.seen.Leaked++
			}
		}
	}
	c.home(ctx)
	c.seen.Excess = c.meter.excess
	c.seen.Complete = ctx.Err() == nil && c.seen.Trouble == "" && c.seen.Judged > 0 && c.seen.Knowing > 0 && c.seen.Standing > 0
}

// guess tries wrong codes until n were judged or refused by the lock.
func (c *coder) guess(ctx context.Context, n int) {
	for lost := 0; n > 0 && lost < patience && c.turn(ctx); {
		if !c.begin(ctx) {
			return
		}
		q, err := c.verify(c.own, c.challenge, c.wrongCode())
		if err != nil {
			c.fail("%v", err)
			return
		}
		step := guessingCode
		if c.seen.Refused > 0 || c.seen.Judged >= c.meter.limit {
			step = refusedCode
		}
		ans := c.send(ctx, q)
		c.record(step, ans, refusal(ans) || step == guessingCode && ans.Status == http.StatusUnauthorized)
		rest := c.in.Every
		if c.note(ans) {
			n--
		} else {
			lost++
			rest = max(rest, pause)
		}
		if !c.wait(ctx, rest) {
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
	ans := c.ask(ctx, c.signIn(c.own, c.victim.Email, c.victim.Password))
	c.challenge, c.tries = c.field("login", ans, "challenge_token"), 0
	if c.challenge == "" {
		c.fail("its victim's sign-in asks for no second factor (status %d)", ans.Status)
	}
	return c.challenge != ""
}

// note adds a wrong code's answer, and reports whether it proves anything.
func (c *coder) note(ans wire.Answer) bool {
	retry, _ := locked(ans)
	switch {
	case !answered(ans):
		c.seen.Lost++
		return false
	case refusal(ans):
		c.seen.Refused++
		c.seen.RetryAfter = max(c.seen.RetryAfter, retry)
		return true
	}
	c.tries++
	c.judge(&c.meter, ans)
	if c.seen.Refused > 0 {
		c.seen.AfterLock++
	}
	return true
}

// home signs the victim in with both factors from where they live.
func (c *coder) home(ctx context.Context) {
	ans := c.ask(ctx, c.signIn(c.other, c.victim.Email, c.victim.Password))
	if refusal(ans) {
		c.seen.Standing++
		c.seen.Harmed++
		return
	}
	q, err := c.verify(c.other, c.field("login", ans, "challenge_token"), c.code(0))
	if err != nil {
		c.fail("%v", err)
		return
	}
	if ans = c.insist(ctx, standing, q, granted); answered(ans) {
		c.seen.Standing++
		if !granted(ans) {
			c.seen.Harmed++
		}
	}
}
