package audit

import "vitals/internal/profile"

// elsewhere asks whom a lock concerns: the address, the account, or the two together, as
// the limit counts.
func elsewhere(t *T) {
	t.Addresses(2)
	acc, from, by := t.Account(), t.Address(), t.Limit("login").By
	t.lockOut(from, acc.Email)
	if by == profile.ByAccount {
		t.Checked("the lock is the account's: it holds from elsewhere, and others sign in from the same address")
		a := t.Guess(t.Address(), acc.Email)
		t.counts("login", t.read("login", a) == profile.Refused, "%v from another address, while the account is locked: got %s, want %s: the limit does not count by the account alone (by:)", a, a.got(), profile.Statuses(t.judge("login").Refused))
	} else if a := t.SignIn(t.Address(), acc); !t.Operation("login").Succeeded(a.Status) {
		t.Fail("%v from another address, while one is locked: got %s, want success: the lock is not of the one address alone (by:)", a, a.got())
	} else {
		t.WantIn(a)
	}
	if by == profile.ByPair || by == profile.ByAccount {
		if by == profile.ByPair {
			t.Checked("the same account signs in from elsewhere meanwhile, and others from the same address")
		}
		a := t.SignIn(from, t.Account())
		t.Check(t.Operation("login").Succeeded(a.Status), "%v of another account from the address of the lock: got %s, want success: the lock is everybody's there (by:)", a, a.got())
	}
}

func othersGoOn(t *T) {
	s := t.Session()
	if a := t.Do("me", s.from, s.access, nil); !t.Operation("me").Succeeded(a.Status) {
		t.Skip("me before the lock: got %s; is its path right in the profile?", a.got())
	}
	t.lockOut(s.from, unknownAccount())
	refusals := t.target.Profile.Refusals()
	free := func(a Answer) {
		t.Check(!refusals.Turned(a.Status, a.RetryAfter() >= 0) && a.Status > 0, "%v from an address that is locked at sign-in: got %s", a, a.got())
	}
	free(t.Do("me", s.from, s.access, nil))
	if t.renews(s) {
		a, _ := t.Refresh(s, s.refresh)
		free(a)
	}
	for name, v := range map[string]values{
		"password_reset":    {"email": unknownAccount()},
		"two_factor_verify": {"challenge_token": "none", "code": "000000"},
	} {
		if _, ok := t.target.Profile.Operations[name]; ok {
			q := t.Request(name, s.from, "", v)
			q.Policy = "" // a challenge that is none is no attempt
			free(t.Send(q))
		} else {
			t.Note("the profile has no %s", name)
		}
	}
}
