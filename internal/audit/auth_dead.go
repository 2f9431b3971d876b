package audit

import (
	"net/netip"
)

func authDead() []Probe {
	return []Probe{{
		ID: "AU13", Title: "signing out ends the session, its access token and its refresh token", Guide: "–", Class: Intrusive, run: signOut,
		Why: "Whoever signs out on a shared machine, or because a token was stolen, is still signed in for whoever holds it.",
		Fix: "End the session on the server, and look it up for every request and every refresh.",
	}, {
		ID: "AU12", Title: "a token that was ended spends nothing of its owner's", Guide: "–", Class: Intrusive, run: deadTokens,
		Why: "Whoever holds a stolen token that is dead uses up its owner's quota with it, and keeps them out that way.",
		Fix: "Count a request for its user only when its session is alive; all others count for their address.",
	}}
}

func signOut(t *T) {
	shows := t.guarded()
	s := t.Session()
	if a := t.Do(shows, s.from, s.access, nil); !t.Operation(shows).Succeeded(a.Status) {
		t.Skip("%s before signing out: got %s; is its path right in the profile?", shows, a.got())
	}
	out := t.Do("logout", s.from, s.access, values{"refresh_token": s.refresh})
	if !t.WantDone("logout", out) {
		return
	}
	a := t.dead(shows, s, s.from)
	if t.undone(shows, a) {
		t.declares(shows, false, "%v: got %s after signing out, want %d or another refusal", a, a.got(), t.Operation(shows).Refuse)
		t.because(open)
	} else {
		t.WantDead(shows, a, " after signing out")
	}
	if !t.renews(s) {
		return
	}
	a, _ = t.Refresh(s, s.refresh)
	check := t.Check
	if t.undone("refresh", a) {
		check = func(ok bool, format string, args ...any) bool { return t.declares("refresh", ok, format, args...) }
	}
	check(t.turned("refresh", a), "%v: got %s after signing out, want %d: the refresh token still buys a session", a, a.got(), t.Operation("refresh").Refusal())
}

// undone tells whether an operation serves a session that has ended, though the profile
// declares what it refuses such a one with (refused:).
func (t *T) undone(operation string, a Answer) bool {
	op := t.Operation(operation)
	return op.Refuse != 0 && op.Succeeded(a.Status) && a.Err == nil
}

func deadTokens(t *T) {
	l := t.Limit("api")
	switch {
	case l.Limit > 1000:
		t.Skip("the limit of %d requests is too high to be spent here", l.Limit)
	case l.By != "user" && l.By != "both":
		t.Skip("requests are limited by %s, so there is no quota of an owner's to be spent", l.By)
	}
	shows := t.guarded()
	acc := t.Account()
	s := t.SessionOf(acc, t.Address())
	acc = t.end(s)
	a := t.dead(shows, s, s.from)
	if !t.turned(shows, a) {
		t.Skip("%v: got %s after the session was ended, so there is no dead token", a, a.got())
	}
	owner := t.SessionOf(acc, t.Address())
	elsewhere := t.Address()
	for range l.Limit + 5 {
		if a := t.dead(shows, s, elsewhere); !t.turned(shows, a) {
			break // its own address is refused by now
		}
	}
	a = t.Do(shows, owner.from, owner.access, nil)
	t.Check(t.Operation(shows).Succeeded(a.Status), "%v: after %d requests with a dead token from elsewhere its owner, with a token that is alive, got %s, want success", a, l.Limit+5, a.got())
}

// guarded is the operation whose answer shows whether a token opens anything: me, or
// list in a profile that has no me. A list that everybody may read shows nothing.
func (t *T) guarded() string {
	if _, ok := t.target.Profile.Operations["me"]; ok {
		return "me"
	}
	if _, ok := t.target.Profile.Operations["list"]; !ok {
		t.Lacks("profile %s has neither me nor list, so that nothing shows whether a token opens anything", t.target.Profile.Name)
	}
	if a := t.Do("list", t.plain(), "", nil); !t.turned("list", a) {
		t.Skip("%v: got %s without a token, so that list tells nothing about tokens, and the profile has no me", a, a.got())
	}
	return "list"
}

// dead sends an operation with the token of a session that has ended.
func (t *T) dead(operation string, s session, from netip.Addr) Answer {
	q := t.Request(operation, from, s.access, nil)
	q.User, q.Label = "", operation+" with a dead token" // it is nobody's any more
	return t.Send(q)
}

// end ends a session, by signing out or by changing the password, and gives the
// account as it is then.
func (t *T) end(s session) Account {
	if _, ok := t.target.Profile.Operations["logout"]; ok {
		t.Do("logout", s.from, s.access, values{"refresh_token": s.refresh})
		return s.Account
	}
	if _, ok := t.target.Profile.Operations["password_change"]; !ok {
		t.Lacks("profile %s has no operation that ends a session", t.target.Profile.Name)
	}
	a, changed := t.change(s)
	if !t.Operation("password_change").Succeeded(a.Status) {
		t.Skip("changing the password: got %s", a.got())
	}
	return changed
}
