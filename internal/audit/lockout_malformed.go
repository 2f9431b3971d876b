package audit

import (
	"net/http"
	"net/netip"
	"slices"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// malformed sends more malformed sign-ins than the limit judges, and preflights: neither
// may cost a place of a wrong password. By which 4xx a malformed one is refused, nobody
// promised; one that is answered as a wrong password is, may be counted as one.
func malformed(t *T) {
	const preflights = 20
	l, from := t.Limit("login"), t.Address()
	limit, general := t.target.limit("api")
	n, guesses := max(20, l.Limit+1), l.Limit
	if general {
		n = min(n, spare(limit.Limit, l.Limit+2))
	}
	guess := func() bool { guesses--; return t.WantWrong("login", t.Guess(from, unknownAccount())) }
	if guesses > 1 && !guess() { // it shows that nothing was locked before
		return
	}
	judged := l.Limit - guesses
	wrong, ok := t.sendMalformed(from, n)
	if !ok {
		return
	}
	cost := n // of the general limit
	a := t.afterMalformed(from)
	r := t.read("login", a)
	if r == profile.Wrong {
		guesses--
	}
	if !t.Check(r != profile.Refused || judged+wrong >= l.Limit, "%v: got %s after %d malformed sign-ins, want it judged: they are counted as failures", a, a.got(), n) {
		return
	}
	if r == profile.Refused {
		t.Checked("preflights neither count as failures nor come free")
		t.Note("%v: got %s after %d malformed sign-ins: they are answered as a wrong password is, and counted as one", a, a.got(), n)
		if t.target.Source == nil {
			t.Skip("this machine's one address is locked by malformed sign-ins, so that preflights were not looked at")
		}
	}
	switch { // they may have cost what they like
	case wrong > 0 && t.target.Source != nil:
		from, guesses, cost = t.Address(), l.Limit, 0
	case wrong > 0:
		guesses -= wrong
	}
	for range preflights {
		q := t.Login(from, "x", "x")
		q.Method, q.Body, q.Policy, q.Label = http.MethodOptions, nil, "", "preflight"
		q.Header = http.Header{"Origin": {"https://audit.example"}, "Access-Control-Request-Method": {"POST"}}
		if origin := t.target.origin(); origin != "" {
			q.Header.Set("Origin", origin)
		}
		t.Send(q)
	}
	for guesses > 0 {
		if !guess() {
			return
		}
	}
	if !t.guide() { // that both count as requests of their address is the guide's promise
		return
	}
	if _, me := t.target.Profile.Operations["me"]; !general || !me || t.target.Settings["CORS_DISABLE"] == "true" {
		t.Note("what the preflights cost was not looked at: there is no general limit, or no operation me, or CORS is off and they are requests like any other")
		return
	}
	a = t.Do("me", from, "", nil)
	if a.Remaining() < 0 {
		t.Note("what the preflights cost was not looked at: %v tells by no X-RateLimit-Remaining what is left of the general limit", a)
		return
	}
	if wrong > 0 && cost > 0 {
		t.Note("what the preflights cost was not looked at: nobody says what malformed sign-ins cost that are answered as a wrong password is")
		return
	}
	t.Check(a.Remaining() == limit.Limit-cost-1, "%v: %d left of %d after %d malformed sign-ins, %d preflights and one call, want %d", a, a.Remaining(), limit.Limit, cost, preflights, limit.Limit-cost-1)
}

// spare is how much of a general limit so many sign-ins leave, where they count under it as
// well: they do not where it is lower than they are many.
func spare(limit, signIns int) int {
	if limit > signIns {
		return limit - signIns
	}
	return max(1, limit-1)
}

// sendMalformed sends malformed sign-ins; false when one is answered otherwise than by a
// refusal. wrong are those that were answered as a wrong password is.
func (t *T) sendMalformed(from netip.Addr, n int) (wrong int, ok bool) {
	j := t.judge("login")
	for range n {
		q := t.Login(from, "x", "x")
		under := q.Policy
		q.Body, q.User, q.Policy, q.Label = []byte(`{"email":`), "", "", "malformed sign-in"
		a := t.Send(q)
		refused, asWrong := j.Refuses(a.Status, a.RetryAfter() >= 0), slices.Contains(j.Wrong, a.Status)
		switch {
		case refused:
		case !t.Check(a.Status/100 == 4, "%v: got %s, want a refusal of its form", a, a.got()):
			return wrong, false
		case asWrong:
			wrong++
		default:
			under = profile.API
		}
		// Only its answer tells what it may have been counted under.
		t.run.see(t.target, &wire.Seen{
			Step: q.Label, Method: q.Method, Route: q.Path, From: from, Policy: under, Unsure: under != profile.API,
			Status: a.Status, Limit: number(a.Header, "X-RateLimit-Limit"), Remaining: a.Remaining(), RetryAfter: a.RetryAfter(), Sent: a.Sent, Done: a.Done,
		})
	}
	return wrong, true
}

// afterMalformed signs in where malformed sign-ins came from: by the right password, or
// without an account by a wrong one, which a lock refuses as well.
func (t *T) afterMalformed(from netip.Addr) Answer {
	acc, ok := t.run.looker(t.target)
	if !ok {
		acc = Account{Email: unknownAccount(), Password: wrongPassword()}
	}
	q := t.Login(from, acc.Email, acc.Password)
	q.Label = map[bool]string{true: "right password", false: "wrong password"}[ok]
	return t.keep("login", values{"email": acc.Email}, t.again(q))
}
