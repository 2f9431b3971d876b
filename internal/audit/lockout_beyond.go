package audit

import (
	"strings"

	"vitals/internal/profile"
)

func lockoutBeyond() []Probe {
	return []Probe{{
		ID: "LK32", Title: "forged addresses and other spellings get no more resets, and no more codes", Guide: "–", Class: Intrusive, run: beyondSignIn,
		Why: "A sign-in that is well guarded is passed by the reset or the second factor beside it, where the limit believes a header or one spelling.",
		Fix: "Count resets and codes by the same key as sign-ins: the connection's address, and the route that serves the request.",
	}}
}

func beyondSignIn(t *T) {
	if t.target.Forward {
		t = t.distrusting()
	}
	tried := false
	if l, ok := t.target.limit("password_reset"); ok && t.byAddress(l, "resets") {
		if _, ok := t.target.Profile.Operations["password_reset"]; ok {
			tried = true
			t.resetsBeyond(l)
		}
	}
	if l, ok := t.target.limit("2fa_verify"); ok && t.byAddress(l, "codes") {
		if _, ok := t.target.Profile.Operations["two_factor_verify"]; ok {
			tried = true
			t.codesBeyond(l)
		}
	}
	if !tried {
		t.Skip("the profile has no limit by address on resets or codes")
	}
}

// byAddress tells whether a limit counts by address, and notes one that does not.
func (t *T) byAddress(l profile.Limit, what string) bool {
	by := l.By == "" || l.By == profile.ByAddress || l.By == profile.ByBoth
	if !by {
		t.Note("%s are counted by %s, which a forged address does not change", what, l.By)
	}
	return by
}

// resetsBeyond asks for resets, each with other forged addresses and by another spelling
// of the path, none of which may be granted beyond the limit.
func (t *T) resetsBeyond(l profile.Limit) {
	from, ways := t.Address(), t.bypass()
	ask := func(i int, change func(int, *Request)) Answer {
		q := t.Request("password_reset", from, "", values{"email": unknownAccount()})
		if change != nil {
			change(i, &q)
		}
		q.Label = "reset, " + q.Method + " " + q.Path
		return t.first("password_reset", q, t.Send(q))
	}
	plain := t.Request("password_reset", from, "", values{"email": unknownAccount()})
	nowhere := plain
	nowhere.Path, nowhere.Policy, nowhere.Label = spell("{{folder}}vitals-audit-no-such-path", plain.Path, 0), "", "unknown path"
	op := t.Operation("password_reset")
	own, _, _ := strings.Cut(plain.Path, "?")
	all := ways.variants(plain)
	if a := t.Send(nowhere); op.Succeeded(a.Status) {
		t.Note("other spellings of resets were not tried: a path that is not there is answered %d as a reset is", a.Status)
		all = nil
	}
	granted := map[string]int{}
	sum, home := 0, ""
	count := func(name string, a Answer) {
		if !op.Succeeded(a.Status) {
			return
		}
		switch to := a.lands(); {
		case sum == 0:
			home = to
		case to != home && strings.HasSuffix(to, own):
			return // it is redirected to the operation's own path, and nothing is granted yet
		}
		granted[name]++
		sum++
	}
	for i := range 2*l.Limit + 1 {
		count("forged addresses", ask(i, func(n int, q *Request) { ways.forge(q, n, "") }))
	}
	for i, v := range all {
		count(v.name, ask(i, v.change))
	}
	t.Check(sum <= l.Limit, "%d resets were granted to one address by forged addresses and other spellings, want at most %d: %s", sum, l.Limit, counted(granted))
	if a := ask(0, nil); sum >= l.Limit {
		t.Check(l.Refuses(a.Status), "%v: got %s after %d resets, want %d", a, a.got(), sum, l.Status())
	}
}

// codesBeyond tries wrong codes from one address with others in every header.
func (t *T) codesBeyond(l profile.Limit) {
	s := t.Session()
	secret := t.SecondFactor(s)
	from, ways := t.Address(), t.bypass()
	challenge, judged := "", 0
	for i, wrong := range wrongCodes(secret, l.Limit+3) {
		if i%5 == 0 { // a challenge dies after five
			challenge = t.Challenge(s.Account, t.Address())
		}
		q := t.Request("two_factor_verify", from, "", values{"challenge_token": challenge, "code": wrong})
		q.User, q.Label = s.Email, "wrong code, forged addresses"
		ways.forge(&q, i, "")
		a := t.wrongCode(i, q)
		if t.read("two_factor_verify", a) == profile.Refused {
			break
		}
		if !t.WantWrong("two_factor_verify", a) {
			return
		}
		judged++
	}
	t.counts("two_factor_verify", judged <= l.Limit, "%d wrong codes with forged address headers were judged, want %d", judged, l.Limit)
}
