package intruders

import (
	"cmp"
	"context"

	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// replayer presents tokens that must be dead: a refresh token that was used before,
// its successor, and whatever was signed out.
type replayer struct {
	actor
	look string // operation that takes an access token
}

// tokens of one session.
type tokens struct{ access, refresh string }

func (r *replayer) prepare(ctx context.Context) {
	if r.seen.Trouble = r.lacks(needs[scenarios.TokenReplay]...); r.seen.Trouble != "" {
		return
	}
	r.look = "me"
	if r.lacks(r.look) != "" {
		r.look = "list"
	}
	if r.seen.Trouble = r.lacks(r.look); r.seen.Trouble != "" {
		return
	}
	for _, op := range []string{"refresh", "logout", r.look} {
		if _, err := r.operation(op, r.own, "", r.victim, tokens{}.values()); err != nil {
			r.fail("%v", err)
		}
	}
	r.victim, _, _ = r.reach(ctx, r.other, r.victim)
}

// work signs in, replays and signs out, round by round.
func (r *replayer) work(ctx context.Context) {
	for round := range r.in.Rounds {
		if round > 0 && !r.wait(ctx, r.in.Every) || !r.turn(ctx) || !r.used(ctx) || !r.signedOut(ctx) {
			return
		}
	}
	r.complete(ctx, true)
}

// used refreshes, presents the old token again, then the new one: either the
// owner or an attacker holds it, and nobody can tell which.
func (r *replayer) used(ctx context.Context) bool {
	first, ok := r.session(ctx)
	if !ok {
		return false
	}
	ans, _ := r.insist(ctx, stepPreparing, r.with("refresh", "", first), r.judgeOf("refresh"), granted)
	second := r.tokens("refresh", ans)
	if second.refresh == "" {
		r.fail("a fresh refresh token bought nothing (status %d)", ans.Status)
		return false
	}
	return r.reuse(ctx, "a refresh token used before", "refresh", "", first) && r.reuse(ctx, "the refresh token that a used one was exchanged for", "refresh", "", second)
}

// signedOut signs out, and uses what that session had. That it opened something
// before is looked at first, or its refusal would show nothing.
func (r *replayer) signedOut(ctx context.Context) bool {
	s, ok := r.session(ctx)
	if !ok {
		return false
	}
	for _, op := range []string{r.look, "logout"} {
		if ans, is := r.insist(ctx, stepPreparing, r.with(op, s.access, s), r.judgeOf(op), granted); is != granted {
			r.fail("a fresh access token was refused by operation %s (status %d)", op, ans.Status)
			return false
		}
	}
	return r.ended(ctx, "an access token after signing out", r.look, s.access, s) && r.ended(ctx, "a refresh token after signing out", "refresh", "", s)
}

// session signs the victim in.
func (r *replayer) session(ctx context.Context) (tokens, bool) {
	ans, _ := r.insist(ctx, stepPreparing, r.signIn(r.own, r.victim.Email, r.victim.Password), r.login, granted)
	s := r.tokens("login", ans)
	if s.access == "" || s.refresh == "" {
		r.fail("its victim's sign-in gives no tokens (status %d)", ans.Status)
		return s, false
	}
	return s, true
}

// reuse presents what must be dead, and reports whether that was judged.
func (r *replayer) reuse(ctx context.Context, what, operation, access string, s tokens) bool {
	ans, is := r.insist(ctx, stepReusing, r.with(operation, access, s), r.judgeOf(operation), wrong)
	switch is {
	case nothing:
		return false
	case refused:
		r.fail("a limit refused it (status %d) before a dead token was judged", ans.Status)
		return false
	case granted:
		r.seen.Granted++
		if r.seen.Served == nil {
			r.seen.Served = map[string]int{}
		}
		r.seen.Served[what]++
	}
	r.seen.Reused++
	return true
}

// ended is reuse of what signing out has ended: where the profile declares how the
// operation refuses a token, serving it breaks that whatever else is promised.
func (r *replayer) ended(ctx context.Context, what, operation, access string, s tokens) bool {
	before := r.seen.Granted
	judged := r.reuse(ctx, what, operation, access, s)
	if r.Profile.Operations[operation].Refuse != 0 {
		r.seen.Sure += r.seen.Granted - before
	}
	return judged
}

// judgeOf reads the answers to an operation that takes a token.
func (r *replayer) judgeOf(operation string) judge {
	op := r.Profile.Operations[operation]
	return r.judge(r.in, operation, cmp.Or(op.Policy, profile.API))
}

// with is an operation with a session's tokens; that the profile has it all was
// looked at in prepare.
func (r *replayer) with(operation, access string, s tokens) wire.Request {
	q, _ := r.operation(operation, r.own, access, r.victim, s.values())
	return q
}

func (s tokens) values() map[string]string {
	return map[string]string{"access_token": s.access, "refresh_token": s.refresh}
}

func (r *replayer) tokens(operation string, ans wire.Answer) tokens {
	return tokens{r.field(operation, ans, "access_token"), r.field(operation, ans, "refresh_token")}
}
