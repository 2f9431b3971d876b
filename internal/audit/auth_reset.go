package audit

import (
	"bytes"
	"time"
)

// strong is a password that passes every rule.
func strong() string { return "Audit " + wrongPassword() + " 7" }

func resetTokens(t *T) {
	t.Operation("password_reset")
	t.Operation("password_reset_confirm")
	t.Addresses(30)
	acc := t.Account()
	confirm := func(token, word string) Request {
		t.run.secrets.add(word)
		return t.Request("password_reset_confirm", t.Address(), "", values{"token": token, "new_password": word})
	}
	older := t.ResetToken(t.Address(), acc.Email)
	newer := t.ResetToken(t.Address(), acc.Email)
	t.WantTurned("password_reset_confirm", t.Send(confirm(older, strong())))
	words := map[int]string{}
	as := t.Burst(repeat(20, func(i int) Request { words[i] = strong(); return confirm(newer, words[i]) }))
	word := ""
	for i, a := range as {
		if t.Operation("password_reset_confirm").Succeeded(a.Status) {
			word = words[i]
			t.Check(!bytes.Contains(a.Body, []byte("token")), "%v: a reset answers with tokens: it signs in past the second factor", a)
		}
	}
	t.succeedsOnce("password_reset_confirm", as, "20 confirmations with one token at once")
	t.WantTurned("password_reset_confirm", t.Send(confirm(newer, strong())))
	t.resetKeepsSecondFactor(Account{Email: acc.Email, Password: word})
	t.resetExpires()
}

func (t *T) resetKeepsSecondFactor(acc Account) {
	if _, ok := t.target.Profile.Operations["two_factor_enrol"]; !ok || acc.Password == "" {
		t.Note("whether a reset keeps the second factor was not tried")
		return
	}
	s := t.SessionOf(acc, t.Address())
	t.SecondFactor(s)
	token, word := t.ResetToken(t.Address(), acc.Email), strong()
	t.run.secrets.add(word)
	a := t.Send(t.Request("password_reset_confirm", t.Address(), "", values{"token": token, "new_password": word}))
	if !t.Check(t.Operation("password_reset_confirm").Succeeded(a.Status), "%v: got %s, want success", a, a.got()) {
		return
	}
	a = t.SignIn(t.Address(), Account{Email: acc.Email, Password: word})
	_, asked := t.Operation("login").Field(a.Body, "challenge_token")
	_, in := t.Operation("login").Field(a.Body, "access_token")
	t.Check(asked && !in, "%v: after a reset the second factor was not asked for", a)
}

func (t *T) resetExpires() {
	life := 900 * time.Second
	if s, ok := t.target.Settings["PASSWORD_RESET_TTL"]; ok {
		if d, err := time.ParseDuration(s + "s"); err == nil {
			life = d
		}
	}
	acc, word := t.Account(), strong()
	t.run.secrets.add(word)
	token := t.ResetToken(t.Address(), acc.Email)
	t.Waiting(life+time.Second, "the reset token expires")
	a := t.Send(t.Request("password_reset_confirm", t.Address(), "", values{"token": token, "new_password": word}))
	t.WantTurned("password_reset_confirm", a)
}

func sameResets(t *T) {
	const rounds = 60
	t.Addresses(rounds)
	var one, two Answer
	share := t.share("password_reset", rounds/usual, 2)
	t.alike("resets of known and unknown accounts", "password_reset", share, rounds*9/10, func() (known, unknown []time.Duration, rest []Answer) {
		accounts, from := t.timed(rounds, share), t.places(share)
		for i := range rounds {
			ask := func(email string, into *[]time.Duration) Answer {
				q := t.Request("password_reset", from(), "", values{"email": email})
				q.Label = "reset"
				a := t.Send(q)
				if t.Operation("password_reset").Succeeded(a.Status) {
					*into = append(*into, a.Done.Sub(a.Sent))
				} else {
					rest = append(rest, a)
				}
				return a
			}
			if i%2 == 0 {
				one = ask(accounts[i%len(accounts)].Email, &known)
				two = ask(unknownAccount(), &unknown)
			} else {
				two = ask(unknownAccount(), &unknown)
				one = ask(accounts[i%len(accounts)].Email, &known)
			}
		}
		return known, unknown, rest
	})
	t.Check(t.Operation("password_reset").Succeeded(one.Status), "%v: got %s, want success", one, one.got())
	t.same(one, two)
}
