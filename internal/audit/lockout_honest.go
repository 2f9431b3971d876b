package audit

import (
	"time"

	"vitals/internal/profile"
)

func morningRush(t *T) {
	const many = 50
	from, warm := t.Address(), t.Account()
	var alone []time.Duration
	for range 3 {
		a := t.SignIn(from, warm)
		if !t.WantIn(a) {
			return
		}
		alone = append(alone, a.Done.Sub(a.Sent))
	}
	var qs []Request
	var accounts []Account
	for i := range 10 {
		accounts = append(accounts, t.Account())
		if countsAccounts(t.Limit("login")) && !t.WantIn(t.SignIn(from, accounts[i])) { // it may have been locked before
			return
		}
	}
	for i := range many {
		acc := accounts[i%len(accounts)]
		qs = append(qs, t.Login(from, acc.Email, acc.Password))
	}
	as, _ := t.volley(qs)
	n, codes, in := statuses(as), map[string]int{}, 0
	var took time.Duration
	for i, a := range as {
		t.keep("login", values{"email": qs[i].User}, a)
		took = max(took, a.Done.Sub(a.Sent))
		if t.Operation("login").Succeeded(a.Status) && !t.hollow(a) {
			in++
		} else {
			codes[a.Code()]++
		}
	}
	const slotWait = 3 * time.Second // LOGIN_SLOT_WAIT
	if in < many && codes["locked_out"] == 0 && took > slotWait {
		t.Skip("this machine takes %v for one sign-in alone, so %d at once outlast the wait for a place (%v): %s", median(alone).Round(time.Millisecond), many, slotWait, tally(n))
	}
	t.Check(in == many, "%d right sign-ins at once from one address: %s, want all to succeed", many, tally(n))
	t.WantIn(t.SignIn(from, warm))
}

func interleaved(t *T) {
	from, limit := t.Address(), t.Limit("login").Limit
	victim, own := t.Account(), t.Account()
	failures, successes := 0, 0 // a limit that counts requests counts both
	for range 3 {
		for range limit - 1 {
			a := t.Guess(from, victim.Email)
			if failures+successes == limit {
				if r := t.read("login", a); r != profile.Refused {
					t.clearedBySuccess(a, failures)
				} else {
					t.Check(true, "")
				}
				return
			}
			if !t.WantWrong("login", a) {
				return
			}
			failures++
		}
		if !t.WantIn(t.SignIn(from, own)) {
			return
		}
		if t.Limit("login").Counts != profile.Failures {
			successes++
		}
	}
}

// clearedBySuccess says what came instead of the lock, and names the success as its
// cause where the lock comes without one.
func (t *T) clearedBySuccess(a Answer, failures int) {
	want := profile.Statuses(t.judge("login").Refused)
	if t.target.Source == nil {
		t.Fail("%v: guess %d at the victim, with successes of another account between, got %s, want %s", a, failures+1, a.got(), want)
		return
	}
	last, judged := t.meet(t.Address(), unknownAccount(), 0)
	locks := t.read("login", last) == profile.Refused
	switch {
	case locks && judged == failures:
		t.Fail("%v: guess %d at the victim got %s, want %s, while without a success between them the lock comes: a success of another account cleared the address", a, failures+1, a.got(), want)
	case locks:
		t.counts("login", false, "%v: guess %d at the victim got %s, want %s; without a success between them the lock comes after %d", a, failures+1, a.got(), want, judged)
	default:
		t.counts("login", false, "%v: guess %d at the victim got %s, want %s; without a success between them no lock comes either", a, failures+1, a.got(), want)
	}
}

func typos(t *T) {
	many := min(3, t.Limit("login").Limit-1) // one more would be the lock
	if many < 1 {
		t.Skip("one wrong password is all that the limit judges: there is no typo without a lock")
	}
	from, acc := t.Address(), t.Account()
	for range 3 {
		for range many {
			if !t.WantWrong("login", t.Guess(from, acc.Email)) {
				return
			}
		}
		if !t.WantIn(t.SignIn(from, acc)) {
			return
		}
	}
}

func windowSlides(t *T) {
	from, email, l := t.Address(), unknownAccount(), t.Limit("login")
	var last Answer
	for range l.Limit - 1 {
		last = t.Guess(from, email)
		if !t.WantWrong("login", last) {
			return
		}
	}
	t.early(l)
	t.until(last.Done.Add(l.Window+time.Second), "the failures leave the window")
	for range l.Limit {
		if !t.WantWrong("login", t.Guess(from, email)) {
			return
		}
	}
	for range l.Limit { // else nothing is counted that could leave; how many are admitted is LK2's
		if t.read("login", t.Guess(from, email)) == profile.Refused {
			return
		}
	}
	t.counts("login", false, "%d wrong sign-ins one after the other, none refused: nothing is counted that could leave a window", 2*l.Limit)
}

// shortWindow is a window in which there is no time to look before its end: servers that
// count whole seconds end one up to a second early.
const shortWindow = 4 * time.Second

// early looks whether a window without a lock is open again long before its end, from
// another address. Of windows that follow one another the second may begin at once, the
// third not before a whole one has passed. A bucket that fills again gives back a part.
func (t *T) early(l profile.Limit) {
	if l.Lock > 0 || l.Window < shortWindow || t.target.Source == nil {
		return
	}
	from, email := t.Address(), unknownAccount()
	began := time.Now()
	if a, _ := t.meet(from, email, 0); t.read("login", a) != profile.Refused {
		return // how many are judged is LK2's
	}
	looks := []time.Duration{l.Window * 45 / 100}
	if l.Fixed {
		looks = append(looks, l.Window-max(l.Window/10, 1500*time.Millisecond))
	}
	for _, after := range looks {
		t.until(began.Add(after), "whether the window is open before its end")
		for range l.Limit {
			if t.read("login", t.Guess(from, email)) != profile.Wrong {
				return
			}
		}
		if l.Fixed && after == looks[0] {
			if a, _ := t.meet(from, email, 0); t.read("login", a) != profile.Refused {
				return
			}
		}
	}
	t.counts("login", false, "%d wrong sign-ins more were judged within %v: the window is shorter than the %v that are promised", len(looks)*l.Limit, time.Since(began).Round(100*time.Millisecond), l.Window)
}
