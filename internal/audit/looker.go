package audit

import "fmt"

// looker is an account that nobody guesses at: probes that only look at what a right
// password is answered, and who has given one, share it, so that the others last.
func (r *runner) looker(g *Target) (a Account, ok bool) {
	r.mu.Lock()
	a, ok = r.lookers[g]
	r.mu.Unlock()
	if ok {
		return a, true
	}
	if a, ok = r.account(g, ""); ok {
		r.secrets.person(a.Email)
		r.mu.Lock()
		r.lookers[g] = a
		r.mu.Unlock()
	}
	return a, ok
}

// signedIn is the looker signed in, with the answer to that, for a safe probe that sees
// more of a target of the user's own; why says what was missing.
func (t *T) signedIn() (s session, in Answer, why string) {
	if _, ok := t.target.Profile.Operations["login"]; !ok || t.target.Source == nil || !t.target.Own {
		return s, in, "it takes the operation login, an account, and client addresses of a target of one's own"
	}
	acc, ok := t.run.looker(t.target)
	if !ok {
		return s, in, "there is no test account left (--accounts)"
	}
	s = session{Account: acc, from: t.Address()}
	in = t.keep("login", values{"email": acc.Email}, t.Send(t.Login(s.from, acc.Email, acc.Password)))
	if s.access, ok = t.Operation("login").Field(in.Body, "access_token"); !ok || s.access == "" {
		why = fmt.Sprintf("%v got %s", in, in.got())
	}
	return s, in, why
}
