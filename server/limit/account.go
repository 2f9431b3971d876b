package limit

import (
	"context"
	"sync/atomic"

	"vitals/server/web"
)

// AccountAttempt is one check at an account that the throttle let through. As with
// an Attempt, the first of Fail, Pass and Release takes effect, so that
// `defer a.Release(ctx)` is right.
type AccountAttempt struct {
	gate    *Gate // nil when there is no throttle
	account string
	id      string
	settled atomic.Bool
}

// EnterAccount reserves an attempt at an account, or refuses it with the same 429
// as a lock. account is the email that the client gave, existing or not; known says
// that the client's address has signed in to it in the last 30 days, and passes.
// Call it after Enter and before the hash; the error is a *web.Problem.
func (g *Gate) EnterAccount(ctx context.Context, account string, known bool) (*AccountAttempt, error) {
	a, t := g.Account(account), g.options.Throttle
	if known || a.gate == nil {
		return a, nil
	}
	wait, err := g.accounts.Admit(ctx, t, g.pseudonym(account), a.id)
	if err != nil {
		return nil, unavailable(err)
	}
	if wait > 0 {
		g.metrics.decided(t.policy(), Decision{Verdict: Denied})
		return nil, g.refusal(web.Header(ctx), g.policies[Login], held(Locked, wait))
	}
	return a, nil
}

// Account is an attempt at an account that nothing had to admit: its number is
// bounded by other means.
func (g *Gate) Account(account string) *AccountAttempt {
	if g.options.Off || g.options.Throttle.Failures == 0 {
		return &AccountAttempt{}
	}
	return &AccountAttempt{gate: g, account: account, id: newID()}
}

// Fail counts a wrong credential.
func (a *AccountAttempt) Fail(ctx context.Context) { a.settle(ctx, Failed) }

// Pass ends the streak: the owner has signed in. Failures made from other addresses
// stay, or an attacker would only wait for the owner.
func (a *AccountAttempt) Pass(ctx context.Context) { a.settle(ctx, Passed) }

// Release frees the slot and counts nothing.
func (a *AccountAttempt) Release(ctx context.Context) { a.settle(ctx, Released) }

func (a *AccountAttempt) settle(ctx context.Context, o Outcome) {
	if a.gate != nil && a.settled.CompareAndSwap(false, true) {
		a.gate.judge(ctx, a.account, a.gate.ClientKey(ctx), a.id, o)
	}
}

// ResetAccount forgets all failures for account: its password was reset.
func (g *Gate) ResetAccount(ctx context.Context, account string) {
	if !g.options.Off && g.options.Throttle.Failures > 0 {
		g.judge(ctx, account, "", newID(), Passed)
	}
}

func (g *Gate) judge(ctx context.Context, account, from, id string, o Outcome) {
	err := g.accounts.Judge(context.WithoutCancel(ctx), g.options.Throttle, g.pseudonym(account), from, id, o)
	if err != nil {
		g.log.ErrorContext(ctx, "the account throttle missed an attempt", "error", err)
	}
}
