package intruders

import (
	"context"

	"vitals/internal/wire"
)

// thief presents tokens that must be dead: a refresh token that was used before,
// its successor, and whatever was signed out.
type thief struct {
	actor
	look string // operation that takes an access token
}

// tokens of one session.
type tokens struct{ access, refresh string }

func (t *thief) prepare(context.Context) {
	if t.seen.Trouble = t.lacks("login", "refresh", "logout"); t.seen.Trouble != "" {
		return
	}
	t.look = "me"
	if t.lacks(t.look) != "" {
		t.look = "list"
	}
	if t.seen.Trouble = t.lacks(t.look); t.seen.Trouble != "" {
		return
	}
	for _, op := range []string{"refresh", "logout", t.look} {
		if _, err := t.operation(op, t.own, "", t.victim, tokens{}.values()); err != nil {
			t.fail("%v", err)
		}
	}
}

// work steals, round by round.
func (t *thief) work(ctx context.Context) {
	for round := range t.in.Rounds {
		if round > 0 && !t.wait(ctx, t.in.Every) || !t.turn(ctx) || !t.used(ctx) || !t.signedOut(ctx) {
			return
		}
	}
	t.seen.Complete = true
}

// used refreshes, presents the old token again, then the new one: either the
// owner or a thief holds it, and nobody can tell which (hardening AU4).
func (t *thief) used(ctx context.Context) bool {
	first, ok := t.session(ctx)
	if !ok {
		return false
	}
	ans := t.insist(ctx, preparing, t.with("refresh", "", first), granted)
	second := t.read("refresh", ans)
	if second.refresh == "" {
		t.fail("a fresh refresh token bought nothing (status %d)", ans.Status)
		return false
	}
	return t.reuse(ctx, "refresh", "", first) && t.reuse(ctx, "refresh", "", second)
}

// signedOut signs out, and uses what that session had. That it opened something
// before is looked at first, or its refusal would show nothing.
func (t *thief) signedOut(ctx context.Context) bool {
	s, ok := t.session(ctx)
	if !ok {
		return false
	}
	for _, op := range []string{t.look, "logout"} {
		if ans := t.insist(ctx, preparing, t.with(op, s.access, s), granted); !granted(ans) {
			t.fail("a fresh access token was refused by operation %s (status %d)", op, ans.Status)
			return false
		}
	}
	return t.reuse(ctx, t.look, s.access, s) && t.reuse(ctx, "refresh", "", s)
}

// session signs the victim in.
func (t *thief) session(ctx context.Context) (tokens, bool) {
	ans := t.insist(ctx, preparing, t.signIn(t.own, t.victim.Email, t.victim.Password), granted)
	s := t.read("login", ans)
	if s.access == "" || s.refresh == "" {
		t.fail("its victim's sign-in gives no tokens (status %d)", ans.Status)
		return s, false
	}
	return s, true
}

// reuse presents what must be dead, and reports whether that was judged.
func (t *thief) reuse(ctx context.Context, operation, access string, s tokens) bool {
	due := t.Profile.Operations[operation].Refusal()
	ans := t.insist(ctx, reusing, t.with(operation, access, s), func(a wire.Answer) bool { return a.Status == due })
	switch {
	case !answered(ans):
		return false
	case refusal(ans):
		t.fail("a limit refused it (429) before a dead token was judged")
		return false
	case granted(ans):
		t.seen.Granted++
	case ans.Status != due:
		t.seen.Wrong++
	}
	t.seen.Reused++
	return true
}

// with is an operation with a session's tokens; that the profile has it all was
// looked at in prepare.
func (t *thief) with(operation, access string, s tokens) wire.Request {
	q, _ := t.operation(operation, t.own, access, t.victim, s.values())
	return q
}

func (s tokens) values() map[string]string {
	return map[string]string{"access_token": s.access, "refresh_token": s.refresh}
}

func (t *thief) read(operation string, ans wire.Answer) tokens {
	return tokens{t.field(operation, ans, "access_token"), t.field(operation, ans, "refresh_token")}
}
