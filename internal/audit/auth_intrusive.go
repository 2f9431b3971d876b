package audit

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"vitals/internal/profile"
)

func authIntrusive() []Probe {
	return []Probe{
		{
			ID: "AU1", Title: "unknown, wrong and disabled sign-ins read the same", Guide: "production-guide:154", Class: Intrusive, run: sameRefusals,
			Why: "A different answer for an address that exists is a list of who is a patient here.",
			Fix: "One status, one body, one set of headers for every refused sign-in.",
		},
		{
			ID: "AU2", Title: "known and unknown accounts take the same time", Guide: "production-guide:154", Class: Intrusive, Alone: true, run: sameTimes,
			Why: "A hash that is skipped for unknown accounts tells who exists by the clock.",
			Fix: "Verify against a dummy hash of the current parameters, made at start, on the same path with the same queries.",
		},
		{
			ID: "AU4", Title: "a refresh token works once; a second use ends its family", Guide: "production-guide:18", Class: Intrusive, run: refreshReuse,
			Why: "A stolen refresh token that keeps working is an account for as long as whoever stole it likes.",
			Fix: "Rotate on every use; a used token revokes all that came of it.",
		},
		{
			ID: "AU5", Title: "of 20 refreshes with one token at once, exactly one succeeds", Guide: "production-guide:18", Class: Intrusive, run: refreshRace,
			Why: "Reading and then marking lets two callers through at once.",
			Fix: "Use the token up in one statement: UPDATE … WHERE used_at IS NULL RETURNING.",
		},
		{
			ID: "AU6", Title: "changing the password ends every other session at once", Guide: "production-guide:151", Class: Intrusive, run: changeEndsSessions,
			Why: "Whoever changes a password because it was stolen wants the attacker out now, not when a token expires.",
			Fix: "Raise a session version with the password and check it on every request.",
		},
		{
			ID: "AU7", Title: "a reset token works once, the newest only, and signs nobody in", Guide: "production-guide:150", Class: Intrusive, Waits: true, run: resetTokens,
			Why: "A mail that can be replayed, or that skips the second factor, is a key under the mat.",
			Fix: "Spend the token in one statement; newest only; no tokens in the answer; the second factor stays.",
		},
		{
			ID: "AU8", Title: "asking for a reset tells nobody who exists", Guide: "production-guide:150", Class: Intrusive, Alone: true, run: sameResets,
			Why: "The reset form is the usual place to ask a service for its list of users.",
			Fix: "Answer 202 with the same bytes after the same work; look the user up in the background.",
		},
		{
			ID: "AU9", Title: "a one-time code works once, however many try it at once", Guide: "production-guide:149", Class: Intrusive, run: codeOnce,
			Why: "A code that is read over a shoulder works for its whole minute.",
			Fix: "Store the last step that was accepted, in one conditional UPDATE; answer 401, never 200 with a failure inside.",
		},
		{
			ID: "AU10", Title: "another user's objects cannot be reached", Guide: "–", Class: Intrusive, run: foreignObjects,
			Why: "An id in a URL is all it takes to read another patient's record.",
			Fix: "Decide ownership in the query, and answer 404 or 403.",
		},
		{
			ID: "AU11", Title: "fields that a client must not set are refused or ignored", Guide: "–", Class: Intrusive, run: massAssignment,
			Why: "A body that is bound to the whole record makes anyone an admin who guesses a field's name.",
			Fix: "Accept named fields only.",
		},
	}
}

func sameRefusals(t *T) {
	known := t.Account()
	t.Addresses(3)
	unknown, wrong := t.Guess(t.Address(), unknownAccount()), t.Guess(t.Address(), known.Email)
	unknown.Label, wrong.Label = "wrong password of an unknown account", "wrong password of a known account"
	j := t.judge("login")
	told := func(a Answer) bool { // a status of its own that neither a limit nor trouble gave
		return a.Err == nil && a.Status/100 == 4 && !j.Refuses(a.Status, a.RetryAfter() >= 0)
	}
	if unknown.Status == wrong.Status || !told(unknown) || !told(wrong) {
		if !t.WantWrong("login", unknown) || !t.WantWrong("login", wrong) {
			return
		}
	} // else two answers are the finding, whatever either says
	t.same(unknown, wrong)
	disabled, ok := t.disabled()
	if !ok {
		return
	}
	from := t.Address()
	q := t.Login(from, disabled.Email, disabled.Password)
	q.Label = "right password of a disabled account"
	t.same(unknown, t.Send(q))
}

// disabled is an account that an admin has barred; false when there is no way to
// make one.
func (t *T) disabled() (Account, bool) {
	if _, ok := t.target.Profile.Operations["disable_user"]; !ok {
		t.Note("a disabled account was not tried: the profile has no operation to disable one")
		return Account{}, false
	}
	var admin *Account
	for i, a := range t.target.Accounts {
		if a.Role == "admin" {
			admin = &t.target.Accounts[i]
		}
	}
	if admin == nil {
		t.Note("a disabled account was not tried: no account with the role admin")
		return Account{}, false
	}
	boss, victim := t.SessionOf(*admin, t.Address()), t.Session()
	a := t.Do("disable_user", boss.from, boss.access, values{"id": victim.id})
	if !t.Operation("disable_user").Succeeded(a.Status) {
		t.Skip("disabling an account: got %s", a.got())
	}
	return victim.Account, true
}

func sameTimes(t *T) {
	const rounds = 100
	t.Addresses(rounds / 2)
	share := t.share("login", rounds/usual, 4) // two of each from one address
	t.Guess(t.Address(), unknownAccount())     // nobody's first sign-in is timed
	t.alike("known and unknown accounts", "login", share, rounds*9/10, func() (known, unknown []time.Duration, rest []Answer) {
		accounts, from := t.timed(rounds, share), t.places(share)
		for i := range rounds {
			one := func(email string, into *[]time.Duration) {
				a := t.Guess(from(), email)
				switch t.read("login", a) {
				case profile.Wrong:
					*into = append(*into, a.Done.Sub(a.Sent))
				case profile.Granted: // nothing is judged whose time could tell
					t.WantWrong("login", a)
					t.Stop()
				default:
					rest = append(rest, a)
				}
			}
			first, second := func() { one(accounts[i%len(accounts)].Email, &known) }, func() { one(unknownAccount(), &unknown) }
			if i%4 >= 2 { // interleaved both ways, so that no order tells
				first, second = second, first
			}
			first()
			second()
		}
		return known, unknown, rest
	})
}

// Refresh buys a new pair for a session.
func (t *T) Refresh(s session, token string) (Answer, session) {
	if token == "" {
		t.Lacks("sign-in gave no refresh token")
	}
	a := t.Do("refresh", s.from, "", values{"refresh_token": token, "access_token": s.access})
	op := t.Operation("refresh")
	s.access, _ = op.Field(a.Body, "access_token")
	s.refresh, _ = op.Field(a.Body, "refresh_token")
	if s.access != "" {
		t.run.own(s.access, s.Email)
	}
	return a, s
}

func refreshReuse(t *T) {
	s := t.Session()
	old := s.refresh
	a, renewed := t.Refresh(s, old)
	if !t.WantDone("refresh", a) {
		return
	}
	if place, said := t.Operation("refresh").Fields["refresh_token"]; renewed.refresh == "" && !said {
		t.Skip("%v: no refresh_token in the answer, so that what becomes of the old one cannot be told: say where the new one stands (fields: of refresh), or that there is none", a)
	} else {
		t.Check(renewed.refresh != "" && renewed.refresh != old, "%v: the refresh token was not rotated%s", a, map[bool]string{true: ": nothing stands at " + place}[renewed.refresh == ""])
	}
	a, _ = t.Refresh(s, old)
	t.WantTurned("refresh", a)
	a, _ = t.Refresh(s, renewed.refresh)
	t.Check(t.turned("refresh", a), "%v: the successor of a token that was used twice got %s, want %d or another refusal: its family must be dead", a, a.got(), t.Operation("refresh").Refusal())
	shows := t.guarded()
	t.WantDead(shows, t.Do(shows, s.from, renewed.access, nil), "")
}

func refreshRace(t *T) { t.atOnce(t.racedRefresh) }

func (t *T) racedRefresh() {
	s := t.Session()
	if s.refresh == "" {
		t.Lacks("sign-in gave no refresh token")
	}
	q := t.Request("refresh", s.from, "", values{"refresh_token": s.refresh, "access_token": s.access})
	as := t.Burst(repeat(20, func(int) Request { return q }))
	for _, a := range as {
		t.keep("refresh", nil, a)
	}
	t.succeedsOnce("refresh", as, "20 refreshes with one token at once")
}

// succeedsOnce checks that of one request sent many times at once a single one succeeded, and
// the others were refused. A server that has no room, and a limit, say nothing of those that
// they turn away: when none succeeded, one of them may have been the one.
func (t *T) succeedsOnce(operation string, as []Answer, what string) {
	done, turned, shed := 0, 0, 0
	for _, a := range as {
		switch {
		case t.Operation(operation).Succeeded(a.Status):
			done++
		case t.turned(operation, a):
			turned++
		case a.Status == http.StatusServiceUnavailable || t.judge(operation).Refuses(a.Status, a.RetryAfter() >= 0):
			shed++
		}
	}
	got := tally(statuses(as))
	if done == 0 && shed > 0 {
		t.Skip("%s: %s: the server had no room for some, or a limit refused them, so that this proves nothing", what, got)
	}
	t.Check(done == 1 && turned+shed == len(as)-1, "%s: %s, want 1 success and %d refusals", what, got, len(as)-1)
}

func changeEndsSessions(t *T) {
	acc := t.Account()
	one, two := t.SessionOf(acc, t.Address()), t.SessionOf(acc, t.Address())
	a, changed := t.change(one)
	if !t.Check(t.Operation("password_change").Succeeded(a.Status), "%v: got %s, want success", a, a.got()) {
		return
	}
	if t.renews(two) {
		r, _ := t.Refresh(two, two.refresh)
		t.WantTurned("refresh", r)
	}
	t.WantIn(t.SignIn(t.Address(), changed))
	shows := t.guarded()
	t.WantDead(shows, t.Do(shows, two.from, two.access, nil), "")
}

func codeOnce(t *T) {
	t.Addresses(20)
	t.atOnce(t.racedCode)
}

func (t *T) racedCode() {
	const many = 20
	s := t.Session()
	secret := t.SecondFactor(s)
	qs := make([]Request, many)
	challenges := make([]string, many+1)
	from := make([]netip.Addr, many+1)
	for i := range challenges {
		from[i] = t.Address()
		challenges[i] = t.Challenge(s.Account, from[i])
	}
	now := code(secret, time.Now())
	for i := range qs {
		qs[i] = t.Request("two_factor_verify", from[i], "", values{"challenge_token": challenges[i], "code": now})
		qs[i].User = s.Email
	}
	as := t.Burst(qs)
	for _, a := range as {
		t.keep("two_factor_verify", values{"email": s.Email}, a)
	}
	t.succeedsOnce("two_factor_verify", as, fmt.Sprintf("one code %d times at once", many))
	for _, a := range as {
		if _, ok := t.Operation("two_factor_verify").Field(a.Body, "access_token"); t.Operation("two_factor_verify").Succeeded(a.Status) {
			t.Check(ok, "%v: success with a failure inside: %s", a, cut(t.run.secrets.redact(string(a.Body))))
		}
	}
	again := t.Do("two_factor_verify", from[many], "", values{"challenge_token": challenges[many], "code": now})
	t.WantTurned("two_factor_verify", again)
	wrong := t.Do("two_factor_verify", from[many], "", values{"challenge_token": challenges[many], "code": wrongCodes(secret, 1)[0]})
	t.WantTurned("two_factor_verify", wrong)
}
