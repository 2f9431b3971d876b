package audit

import (
	"net/http"
	"time"
)

func morningRush(t *T) {
	const many = 50
	from, warm := t.Address(), t.Account()
	var alone []time.Duration
	for range 3 {
		a := t.SignIn(from, warm)
		if !t.Want(a, http.StatusOK) {
			return
		}
		alone = append(alone, a.Done.Sub(a.Sent))
	}
	var qs []Request
	var accounts []Account
	for range 10 {
		accounts = append(accounts, t.Account())
	}
	for i := range many {
		acc := accounts[i%len(accounts)]
		qs = append(qs, t.Login(from, acc.Email, acc.Password))
	}
	as, _ := t.volley(qs)
	n, codes := statuses(as), map[string]int{}
	var took time.Duration
	for i, a := range as {
		t.keep("login", values{"email": qs[i].User}, a)
		took = max(took, a.Done.Sub(a.Sent))
		if a.Status != http.StatusOK {
			codes[a.Code()]++
		}
	}
	const slotWait = 3 * time.Second // LOGIN_SLOT_WAIT
	if n[200] < many && codes["locked_out"] == 0 && took > slotWait {
		t.Skip("this machine takes %v for one sign-in alone, so %d at once outlast the wait for a place (%v): %s", median(alone).Round(time.Millisecond), many, slotWait, tally(n))
	}
	t.Check(n[200] == many, "%d right sign-ins at once from one address: %s, want %d×200", many, tally(n), many)
	t.Want(t.SignIn(from, warm), http.StatusOK)
}

func interleaved(t *T) {
	from, limit := t.Address(), t.Limit("login").Limit
	victim, own := t.Account(), t.Account()
	failures := 0
	for range 3 {
		for range limit - 1 {
			a := t.Guess(from, victim.Email)
			if failures == limit {
				t.Check(a.Status == http.StatusTooManyRequests, "%v: the %dth guess at the victim got %s, want 429: a success of another account cleared the address", a, failures+1, a.got())
				return
			}
			if !t.Want(a, t.Operation("login").Refusal()) {
				return
			}
			failures++
		}
		if !t.Want(t.SignIn(from, own), http.StatusOK) {
			return
		}
	}
}

func typos(t *T) {
	from, acc := t.Address(), t.Account()
	for range 3 {
		for range 3 {
			if !t.Want(t.Guess(from, acc.Email), t.Operation("login").Refusal()) {
				return
			}
		}
		if !t.Want(t.SignIn(from, acc), http.StatusOK) {
			return
		}
	}
}

func windowSlides(t *T) {
	from, email, l := t.Address(), stranger(), t.Limit("login")
	var last Answer
	for range l.Limit - 1 {
		last = t.Guess(from, email)
		if !t.Want(last, t.Operation("login").Refusal()) {
			return
		}
	}
	t.until(last.Done.Add(l.Window+time.Second), "the failures leave the window")
	for range l.Limit {
		if !t.Want(t.Guess(from, email), t.Operation("login").Refusal()) {
			return
		}
	}
}
