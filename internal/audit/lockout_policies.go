package audit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vitals/internal/profile"
)

func lockoutPolicies() []Probe {
	return []Probe{
		{
			ID: "LK21", Title: "as many wrong one-time codes are judged as the limit says, the next is refused", Guide: "production-guide:149", Class: Intrusive, run: wrongCodesLock,
			Why: "Six digits fall to a machine within hours where wrong codes are answered 200 and so are never counted.",
			Fix: "Answer 401, count each, lock at ten, and end a challenge after five.",
		},
		{
			ID: "LK22", Title: "resets and password changes have limits of their own", Guide: "production-guide:150", Class: Intrusive, run: resetAndChange,
			Why: "Unlimited resets flood a mailbox; unlimited changes try old passwords past the sign-in's limit.",
			Fix: "3 resets an hour by address, 5 changes an hour by address and user; no lock of the sign-in for either.",
		},
		{
			ID: "LK23", Title: "requests are admitted up to the general limit, exactly, also at once", Guide: "production-guide:152", Class: Intrusive, Alone: true, run: hundredAnHour,
			Why: "A quota that is read and then written admits as many as come at once.",
			Fix: "Count before serving, in one atomic step, by user.",
		},
		{
			ID: "LK24", Title: "no window of any position holds more than the limit", Guide: "production-guide:152", Class: Intrusive, Waits: true, run: slidingQuota,
			Why: "Counters that start anew on the hour admit twice the limit around it.",
			Fix: "Use a sliding window.",
		},
		{
			ID: "LK30", Title: "the server's own counters agree with what was sent", Guide: "production-guide:349", Class: Intrusive, Alone: true, run: countersAgree,
			Why: "Alarms and dashboards are drawn from counters that nobody has compared with the wire.",
			Fix: "Count once per request, at one place, by route pattern and status.",
		},
	}
}

func wrongCodesLock(t *T) {
	l := t.Limit("2fa_verify")
	s := t.Session()
	secret := t.SecondFactor(s)
	from := t.Address()
	codes := wrongCodes(secret, l.Limit+1)
	challenge := ""
	for i := range l.Limit {
		if i%5 == 0 { // a challenge dies after five
			challenge = t.Challenge(s.Account, t.Address())
		}
		q := t.Request("two_factor_verify", from, "", values{"challenge_token": challenge, "code": codes[i]})
		q.User = s.Email
		a := t.wrongCode(i, q)
		if !t.WantWrong("two_factor_verify", a) {
			return
		}
	}
	challenge = t.Challenge(s.Account, t.Address())
	a := t.Do("two_factor_verify", from, "", values{"challenge_token": challenge, "code": codes[l.Limit]})
	if t.WantRefused("two_factor_verify", a) {
		t.lockedFor(a, l)
	}
	right := t.Do("two_factor_verify", from, "", values{"challenge_token": challenge, "code": code(secret, time.Now())})
	t.WantRefused("two_factor_verify", right)
	t.WantIn(t.SignIn(from, t.Account()))
}

// wrongCode sends code i of an account that has sent none but the one of its enrolment: a
// refusal of the first is nothing that codes have earned, and ends the probe.
func (t *T) wrongCode(i int, q Request) Answer {
	a := t.Send(q)
	if i == 0 && t.judge("two_factor_verify").Refuses(a.Status, a.RetryAfter() >= 0) {
		t.lockedBefore(q, a, false)
	}
	return a
}

func resetAndChange(t *T) {
	from := t.Address()
	over := func(a Answer, l profile.Limit, what string) {
		if t.Check(l.Refuses(a.Status), "%v: %s %d got %s, want %d: the limit is %d in %v", a, what, l.Limit+1, a.got(), l.Status(), l.Limit, l.Window) {
			t.waitTold(a, l)
		}
	}
	var limited []string
	for _, what := range [][2]string{{"password_reset", "resets"}, {"password_change", "password changes"}} {
		if l, ok := t.target.limit(what[0]); ok {
			limited = append(limited, fmt.Sprintf("%d %s", l.Limit, what[1]))
		}
	}
	if len(limited) == 0 {
		t.Lacks("profile %s has no limit on resets or password changes", t.target.Profile.Name)
	}
	t.Checked("after %s further ones are refused", strings.Join(limited, ", and after "))
	if reset, ok := t.target.limit("password_reset"); ok {
		ask := func() Answer {
			q := t.Request("password_reset", from, "", values{"email": unknownAccount()})
			return t.first("password_reset", q, t.again(q))
		}
		for range reset.Limit {
			a := ask()
			t.Check(t.Operation("password_reset").Succeeded(a.Status), "%v: got %s, want success: %d resets in %v are within the limit", a, a.got(), reset.Limit, reset.Window)
		}
		over(ask(), reset, "reset")
	} else {
		t.Note("the profile has no limit on resets")
	}
	l, ok := t.target.limit("password_change")
	if !ok {
		t.Note("the profile has no limit on password changes")
		return
	}
	s := t.Session()
	change := func() Answer {
		q := t.Request("password_change", s.from, s.access, values{"password": wrongPassword(), "new_password": strong()})
		return t.first("password_change", q, t.again(q))
	}
	for range l.Limit {
		if a := change(); !t.Check(t.turned("password_change", a), "%v: got %s to a wrong password, want %d: %d of them in %v are within the limit", a, a.got(), t.Operation("password_change").Refusal(), l.Limit, l.Window) {
			return
		}
	}
	over(change(), l, "password change")
	t.WantIn(t.SignIn(s.from, t.Account()))
	t.WantIn(t.SignIn(from, t.Account()))
}

func hundredAnHour(t *T) {
	l := t.Limit("api")
	if l.Limit > 1000 {
		t.Skip("the limit of %d requests is too high to be spent here", l.Limit)
	}
	one := t.Session()
	two := t.SessionOf(t.Account(), one.from)
	fresh := t.run.o.Owner != nil // nobody but this audit has spent any of it
	for i := 0; i < l.Limit; i++ {
		a := t.Do("me", one.from, one.access, nil)
		if l.Refuses(a.Status) && !fresh {
			t.spentBefore(l, fmt.Sprintf("call %d of %d was refused", i+1, l.Limit))
			one, fresh, i = t.SessionOf(one.Account, one.from), true, -1
			continue
		}
		if !t.Check(t.Operation("me").Succeeded(a.Status), "call %d of %d: got %s, want success", i+1, l.Limit, a.got()) {
			return
		}
	}
	a := t.Do("me", one.from, one.access, nil)
	if t.Check(l.Refuses(a.Status), "%v: got %s, want %d", a, a.got(), l.Status()) {
		t.waitTold(a, l)
	}
	if l.By == "user" {
		t.WantDone("me", t.Do("me", two.from, two.access, nil))
	}
	t.atOnce(func() { t.quotaAtOnce(l) })
}

// spentBefore waits until an account that others have used, as an earlier run did, has
// all of its quota again. What is refused after that is the API's doing.
func (t *T) spentBefore(l profile.Limit, what string) {
	t.Waiting(l.Window, what+": what was spent of this quota before the audit leaves its window")
}

// quotaAtOnce sends one user's requests at one moment, three times as many as the
// limit.
func (t *T) quotaAtOnce(l profile.Limit) {
	three := t.Session()
	if t.quotaOf(three, l, t.run.o.Owner != nil) {
		return
	}
	t.spentBefore(l, fmt.Sprintf("fewer than %d of %d calls at once were admitted", l.Limit, 3*l.Limit))
	t.quotaOf(t.SessionOf(three.Account, three.from), l, true)
}

// quotaOf judges the burst of one session. Of an account that is not known to be fresh
// it does not judge one that a quota spent earlier would explain, and says so.
func (t *T) quotaOf(three session, l profile.Limit, fresh bool) (judged bool) {
	limit := l.Limit
	as := t.Burst(repeat(3*limit, func(int) Request { return t.Request("me", three.from, three.access, nil) }))
	n := statuses(as)
	done, refused := 0, 0
	for status, count := range n {
		switch {
		case l.Refuses(status):
			refused += count
		case t.Operation("me").Succeeded(status):
			done += count
		}
	}
	// A server may shed some of so many at once; none of those was admitted.
	gone := 0
	for status := range n {
		if !l.Refuses(status) {
			gone += lost(map[int]int{status: n[status]})
		}
	}
	if done < limit && gone > 0 {
		t.Skip("%d calls at once: %s, so that it proves nothing", 3*limit, tally(n))
	}
	if !fresh && done < limit && done+refused == 3*limit {
		return false
	}
	t.Check(done == limit && done+refused+gone == 3*limit && refused > 0, "%d calls at once: %s, want %d to succeed, and %d×%d", 3*limit, tally(n), limit, 2*limit, l.Status())
	return true
}

func slidingQuota(t *T) {
	l := t.Limit("api")
	if l.Limit > 1000 {
		t.Skip("the limit of %d requests is too high to be spent here", l.Limit)
	}
	if p := t.run.o.Patience; p > 0 && 2*l.Window > p {
		t.Skip("it would watch two windows of %v, longer than allowed: %v (--patience; --short-clock with --stack)", l.Window, p)
	}
	s := t.Session()
	var mu sync.Mutex
	var admitted []Answer
	refused, shed := 0, 0
	// Twice what the limit allows, in bursts, so that every edge that a fixed
	// window could have lies within one.
	const bursts = 20
	began := time.Now()
	for i := range bursts {
		t.until(began.Add(2*l.Window*time.Duration(i)/bursts), "the next burst of two windows")
		as, _ := t.volley(repeat(l.Limit*4/bursts, func(int) Request { return t.Request("me", s.from, s.access, nil) }))
		for _, a := range as {
			mu.Lock()
			if t.Operation("me").Succeeded(a.Status) {
				admitted = append(admitted, a)
			} else if l.Refuses(a.Status) {
				refused++
			} else {
				shed++
			}
			mu.Unlock()
		}
		if i == 0 && refused == len(as) && t.run.o.Owner == nil {
			t.Skip("the first %d calls at once were all refused: what was spent of this quota before the audit has not left its window", len(as))
		}
	}
	if shed > 0 {
		t.Skip("%d calls were answered neither with success nor with %d", shed, l.Status())
	}
	t.Check(refused > 0, "%d calls over two windows, and none refused", bursts*(l.Limit*4/bursts))
	t.Check(len(admitted) > l.Limit, "only %d calls were admitted over two windows, want more than %d: the quota does not come back", len(admitted), l.Limit)
	slices.SortFunc(admitted, func(a, b Answer) int { return a.Sent.Compare(b.Sent) })
	most := l.Most()
	for i := most; i < len(admitted); i++ {
		// Within a burst one may be sent last and answered first.
		last := slices.MaxFunc(admitted[i-most:i+1], func(a, b Answer) int { return a.Done.Compare(b.Done) })
		if span := last.Done.Sub(admitted[i-most].Sent); !t.Check(span >= l.Window, "%d calls were admitted within %v, allowed are %d in %v", most+1, span.Round(time.Millisecond), most, l.Window) {
			return
		}
	}
}
