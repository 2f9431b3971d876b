package limit

import (
	"context"
	"slices"
	"time"

	"vitals/server/web"
)

// Throttle slows down guessing at one account from many addresses (hardening
// 2.5.6): from Failures in Window on, each further attempt from an address that
// the account does not know waits longer. It never shuts the owner out: known
// addresses pass. Failures 0 is off.
type Throttle struct {
	Failures int
	Window   time.Duration
}

// What NIST SP 800-63B 5.2.2 asks for, and how fast we get there.
const (
	streakMax  = 100                 // consecutive failures; then only a reset, or a known address, helps
	streakLife = 30 * 24 * time.Hour // without a failure, until the streak is forgotten
	firstWait  = 30 * time.Second
	lastWait   = 900 * time.Second
)

// accountPolicy names the throttle beside the policies of the table.
const accountPolicy = "account"

// wait is how long an account rests after its n-th failure in the window:
// min(900, 30·2^(n−Failures)) seconds, 0 below Failures.
func (t Throttle) wait(n int) time.Duration {
	if n < t.Failures {
		return 0
	}
	return min(lastWait, firstWait<<min(n-t.Failures, 5))
}

// policy is the throttle as the record keeps it.
func (t Throttle) policy() Policy {
	return Policy{Name: accountPolicy, Limit: t.Failures, Window: t.Window, Failures: true}
}

// Accounts is the throttle's memory. account and from are pseudonyms or keys.
type Accounts interface {
	// Admit decides on an attempt from an address that account does not know,
	// before its check: how long it must wait, 0 to go on. Above the threshold
	// one attempt is admitted per wait, however many ask at once.
	Admit(ctx context.Context, t Throttle, account string) (time.Duration, error)
	// Judge records how a check ended. Passed ends the streak and forgets the
	// failures made from there; from "" is from everywhere, a reset.
	Judge(ctx context.Context, t Throttle, account, from, id string, o Outcome) error
}

// Throttle refuses an attempt at an account that is under attack, with the same
// 429 as a lock. account is the email that the client gave, existing or not;
// known says that the client's address has signed in to it in the last 30 days.
// Call it after Enter and before the hash; the error is a *web.Problem.
func (g *Gate) Throttle(ctx context.Context, account string, known bool) error {
	t := g.options.Throttle
	if g.options.Off || t.Failures == 0 || known {
		return nil
	}
	wait, err := g.accounts.Admit(ctx, t, g.pseudonym(account))
	if err != nil {
		return unavailable(err)
	}
	if wait <= 0 {
		return nil
	}
	g.metrics.decided(t.policy(), Decision{Verdict: Denied})
	return g.refusal(web.Header(ctx), g.policies[Login], held(Locked, wait))
}

// ThrottleFail counts a wrong password for account.
func (g *Gate) ThrottleFail(ctx context.Context, account string) {
	g.judge(ctx, account, g.ClientKey(ctx), Failed)
}

// ThrottlePass ends the streak of account: its owner has signed in. Failures
// made from other addresses stay, or an attacker would only wait for the owner.
func (g *Gate) ThrottlePass(ctx context.Context, account string) {
	g.judge(ctx, account, g.ClientKey(ctx), Passed)
}

// ThrottleReset forgets all failures for account: its password was reset.
func (g *Gate) ThrottleReset(ctx context.Context, account string) {
	g.judge(ctx, account, "", Passed)
}

func (g *Gate) judge(ctx context.Context, account, from string, o Outcome) {
	t := g.options.Throttle
	if g.options.Off || t.Failures == 0 {
		return
	}
	err := g.accounts.Judge(context.WithoutCancel(ctx), t, g.pseudonym(account), from, newID(), o)
	if err != nil {
		g.log.ErrorContext(ctx, "the account throttle missed an attempt", "error", err)
	}
}

// Admit is Accounts.Admit; it never fails.
func (m *Memory) Admit(_ context.Context, t Throttle, account string) (wait time.Duration, _ error) {
	m.with(t.policy(), account, func(r *record, now time.Duration) { wait = r.admit(t, now) })
	return wait, nil
}

// Judge is Accounts.Judge; it never fails.
func (m *Memory) Judge(_ context.Context, t Throttle, account, from, id string, o Outcome) error {
	m.with(t.policy(), account, func(r *record, now time.Duration) {
		r.judge(t, now, m.hash(id), o, m.hash(from), from == "")
	})
	return nil
}

// admit is the twin of admit.lua. The record's lock is when the next attempt is
// due.
func (r *record) admit(t Throttle, now time.Duration) time.Duration {
	if r.streak >= streakMax {
		return lastWait
	}
	wait := t.wait(len(r.entries))
	if wait == 0 {
		return 0
	}
	if r.lock > now {
		return r.lock - now
	}
	r.lock = now + wait // reserved before it is judged
	return 0
}

// judge is the twin of judge.lua.
func (r *record) judge(t Throttle, now time.Duration, id uint64, o Outcome, from uint64, all bool) {
	switch {
	case o == Failed && !has(r.entries, id):
		if r.entries = append(r.entries, event{at: now, id: id, user: from}); len(r.entries) > streakMax {
			r.entries = slices.Delete(r.entries, 0, 1)
		}
		r.streak, r.forget = r.streak+1, now+streakLife
		if wait := t.wait(len(r.entries)); wait > 0 {
			r.lock = now + wait
		}
	case o == Passed && all:
		*r = record{}
	case o == Passed:
		r.streak = 0
		r.entries = slices.DeleteFunc(r.entries, func(e event) bool { return e.user == from })
	}
}
