package audit

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"vitals/internal/profile"
)

func lockout() []Probe {
	return []Probe{
		{
			ID: "LK1", Title: "as many wrong sign-ins are judged as the limit says", Guide: "production-guide:148", Class: Intrusive, run: firstFive,
			Why: "Headers only on success leave a client, and its user, to find the limit by running into it.",
			Fix: "Set X-RateLimit-* on every answer of a limited route; count failures, from 4 left down to 0.",
		},
		{
			ID: "LK2", Title: "the wrong sign-in beyond the limit is refused", Guide: "production-guide:148", Class: Intrusive, run: sixthLocks,
			Why: "This is the lockout itself: without it a password of six letters lasts an afternoon.",
			Fix: "At five failures in the window, answer 429 with Retry-After of the lock, and start it.",
		},
		{
			ID: "LK3", Title: "the right password finds the same closed door", Guide: "production-guide:155", Class: Intrusive, run: rightWhileLocked,
			Why: "A locked answer that differs for the right password lets guessing go on at full speed; a hash that is still computed makes the lock a load.",
			Fix: "Look at the lock before the user and before the hash; one answer for all.",
		},
		{
			ID: "LK4", Title: "attempts during the lock do not prolong it", Guide: "production-guide:155", Class: Intrusive, run: lockNotProlonged,
			Why: "One cron job with an old password would keep a whole clinic out for ever.",
			Fix: "Add nothing for refused attempts; the lock ends when it was announced to.",
		},
		{
			ID: "LK5", Title: "the lock holds to its end, and not beyond; then there are fresh attempts", Guide: "production-guide:54", Class: Intrusive, Waits: true, run: lockEnds,
			Why: "A lock that ends early is none; one that ends late punishes whoever obeyed Retry-After.",
			Fix: "Keep the end, not a counter; empty the log when the lock begins.",
		},
		{
			ID: "LK6", Title: "the same account signs in from elsewhere meanwhile", Guide: "production-guide:156", Class: Intrusive, run: elsewhere,
			Why: "A lock on the account lets anybody lock a doctor out by knowing an address.",
			Fix: "Lock the address under the policy, not the account.",
		},
		{
			ID: "LK7", Title: "other endpoints of a locked address go on", Guide: "production-guide:156", Class: Intrusive, run: othersGoOn,
			Why: "One colleague's forgotten password would stop the ward's whole application.",
			Fix: "Key the lock by policy and address.",
		},
		{
			ID: "LK8", Title: "of 200 wrong sign-ins at one moment as many are judged as the limit says", Guide: "production-guide:148", Class: Intrusive, Alone: true, run: burstOf200,
			Why: "A counter that is read and then written, or written after the hash, lets a burst of guesses through: the usual way around a limit.",
			Fix: "Reserve a place before judging, in one atomic step; commit the outcome after.",
		},
		{
			ID: "LK13", Title: "50 right sign-ins at once from one address all succeed", Guide: "production-guide:156", Class: Intrusive, Alone: true, run: morningRush,
			Why: "Colleagues behind one address are not attackers; counting reservations as failures locks a clinic out at eight in the morning.",
			Fix: "Let attempts wait for a place that is taken, and never lock for it.",
		},
		{
			ID: "LK14", Title: "an own success does not clear failures on others", Guide: "production-guide:154", Class: Intrusive, run: interleaved,
			Why: "An attacker who signs in with an account of their own every fifth time guesses without end.",
			Fix: "On success forget only that user's failures from that address.",
		},
		{
			ID: "LK15", Title: "typos followed by success never lock their owner out", Guide: "production-guide:156", Class: Intrusive, run: typos,
			Why: "Three typos in the morning, three at noon: a person would be locked out without ever failing.",
			Fix: "On success forget that user's failures.",
		},
		{
			ID: "LK16", Title: "failures leave the window", Guide: "production-guide:148", Class: Intrusive, Waits: true, run: windowSlides,
			Why: "Failures that are never forgotten add up to a lock over days.",
			Fix: "Drop entries older than the window before counting.",
		},
	}
}

// lockOut makes wrong sign-ins until the first refusal and gives it; whose
// account they are for does not matter. That it comes where it should is LK2's to
// say; a target that never refuses fails.
func (t *T) lockOut(from netip.Addr, email string) Answer {
	before := 0
	if l := t.Limit("login"); l.Counts != profile.Failures && byAddress(l) == "" {
		before, _ = t.run.served(t.target, t.target.policy("login"), from, "") // right ones count as well
	}
	a, judged := t.meet(from, email, 0)
	limit := t.Limit("login").Limit - before
	switch t.read("login", a) {
	case profile.Refused:
	case profile.Granted:
		t.WantWrong("login", a)
		t.Stop()
	case profile.Nothing:
		t.Fail("%v: got %s, want %s", a, a.got(), profile.Statuses(t.judge("login").Wrong))
		t.Stop()
	default:
		t.counts("login", false, "%d wrong sign-ins from one address, and no lock", judged)
		t.Stop()
	}
	if judged != limit {
		t.Note("the lock came after %d wrong sign-ins, promised are %d", judged, limit)
	}
	return a
}

// meet makes wrong sign-ins, of which some were judged before, until the first that
// is not, or until there were far too many. It gives the last answer and how many
// were judged in all.
func (t *T) meet(from netip.Addr, email string, judged int) (a Answer, all int) {
	for limit := t.Limit("login").Limit; judged < max(100, 2*limit+10); judged++ {
		if a = t.Guess(from, email); t.read("login", a) != profile.Wrong {
			break
		}
	}
	return a, judged
}

func firstFive(t *T) {
	from, email, l := t.Address(), unknownAccount(), t.Limit("login")
	told := ""
	if form := t.form(l); form != "" && form != profile.NoHeaders {
		told = ", each telling what is left"
	}
	t.Checked("%d wrong sign-ins are judged%s", l.Limit, told)
	for i := range l.Limit {
		a := t.Guess(from, email)
		if !t.WantWrong("login", a) {
			t.run.met(t.target, i)
			return
		}
		t.limitHeaders(a, l, l.Limit-1-i)
	}
}

// form is how a limit is promised to announce itself; "" = nobody says.
func (t *T) form(l profile.Limit) profile.Form {
	form := profile.Form(l.Headers)
	if h := t.promise().LimitHeaders; form == "" && h != nil {
		form = h.Form
	}
	return form
}

// limitHeaders checks what an answer tells of its limit.
func (t *T) limitHeaders(a Answer, l profile.Limit, left int) {
	switch t.form(l) {
	case "", profile.NoHeaders:
		return // nobody said that it would be told
	case profile.IETF:
		t.ietfHeaders(a, l, left)
		return
	}
	is := func(name string, want int) {
		t.Check(number(a.Header, name) == want, "%v (%d): %s is %q, want %d", a, a.Status, name, a.Header.Get(name), want)
	}
	is("X-RateLimit-Limit", l.Limit)
	is("X-RateLimit-Remaining", left)
	is("X-RateLimit-Window", int(l.Window/time.Second))
	reset := number(a.Header, "X-RateLimit-Reset")
	at := time.Unix(int64(reset), 0)
	t.Check(reset > 0 && !at.Before(a.Sent.Add(-2*time.Second)) && !at.After(a.Done.Add(max(l.Window, l.Lock)+3*time.Second)),
		"%v (%d): X-RateLimit-Reset is %q, want epoch seconds within the window", a, a.Status, a.Header.Get("X-RateLimit-Reset"))
}

func sixthLocks(t *T) {
	from, email, l := t.Address(), unknownAccount(), t.Limit("login")
	after := "is refused"
	if l.Locks() {
		after += " and begins the lock"
	}
	t.Checked("wrong sign-in %d %s", l.Limit+1, after)
	var judged Answer
	for i := range l.Limit {
		if judged = t.Guess(from, email); !t.WantWrong("login", judged) {
			t.run.met(t.target, i)
			return
		}
	}
	a := t.Guess(from, email)
	if r := t.read("login", a); r != profile.Refused {
		words := "no lock"
		if r == profile.Wrong {
			last, judged := t.meet(from, email, l.Limit+1)
			if words = fmt.Sprintf("%d were judged, and no lock", judged); t.read("login", last) == profile.Refused {
				words = fmt.Sprintf("%d were judged before the lock", judged)
				t.run.met(t.target, judged)
			}
		}
		t.counts("login", false, "%v: got %s to wrong sign-in %d, want %s: %s", a, a.got(), l.Limit+1, profile.Statuses(t.judge("login").Refused), words)
		return
	}
	t.lockedFor(a, l)
	if l.Delay.From > 0 {
		t.waits(from, email, judged, a, l)
	}
	t.limitHeaders(a, l, 0)
	if byAddress(l) != "" || !l.Locks() {
		return
	}
	other := t.Guess(from, unknownAccount())
	if t.read("login", other) == profile.Wrong && t.read("login", t.Guess(from, email)) == profile.Refused {
		t.counts("login", false, "%v: got %s for another account, while the first is refused from the same address: the limit counts by the account, or by address and account together, not by the address alone (by:)", other, other.got())
	}
}

// lockedFor checks a refusal that begins a lock.
func (t *T) lockedFor(a Answer, l profile.Limit) {
	if !l.Locks() {
		t.waitTold(a, l)
		return
	}
	if !t.tellsWait() {
		return
	}
	lock := int(l.Lock / time.Second)
	took := int(a.Done.Sub(a.Sent)/time.Second) + 1
	t.counts("login", a.RetryAfter() <= lock && a.RetryAfter() >= max(1, lock-took), "%v: Retry-After is %q, want %d", a, a.Header.Get("Retry-After"), lock)
	if t.target.Profile.Name == "clinic" {
		t.Check(a.Code() == "locked_out", "%v: code is %q, want locked_out", a, a.Code())
	}
}

// tellsWait tells whether refusals are promised to say how long to wait.
func (t *T) tellsWait() bool {
	h := t.promise().LimitHeaders
	return h != nil && h.RetryAfter
}

// waitTold checks the wait that a refusal without a lock announces, where that is
// promised.
func (t *T) waitTold(a Answer, l profile.Limit) {
	if !t.tellsWait() {
		return
	}
	most := int((l.Wait() + time.Second - 1) / time.Second)
	t.Check(a.RetryAfter() >= 1 && a.RetryAfter() <= most, "%v: Retry-After is %q, want 1 to %d", a, a.Header.Get("Retry-After"), most)
}

func rightWhileLocked(t *T) {
	acc, from := t.Account(), t.Address()
	var judged []time.Duration
	for range t.Limit("login").Limit {
		a := t.Guess(from, acc.Email)
		if !t.WantWrong("login", a) {
			return
		}
		judged = append(judged, a.Done.Sub(a.Sent))
	}
	first := t.Guess(from, acc.Email)
	if !t.WantRefused("login", first) {
		return
	}
	var locked []time.Duration
	for range 5 {
		wrong, right := t.Guess(from, acc.Email), t.SignIn(from, acc)
		if !t.WantRefused("login", wrong) || !t.WantRefused("login", right) {
			return
		}
		t.same(wrong, right)
		t.Check(!strings.Contains(string(right.Body), "token"), "%v: a token was given out while locked", right)
		locked = append(locked, right.Done.Sub(right.Sent))
	}
	hash, fast, way := median(judged), quantile(locked, 0), t.unjudged()
	t.Note("a judged attempt takes %v, a locked one %v at best, a request that nothing judges %v", hash.Round(100*time.Microsecond), fast.Round(100*time.Microsecond), way.Round(100*time.Microsecond))
	if t.guide() { // a limit alone says nothing of what a refusal costs
		t.By(profile.ProductionGuide).Check(hash-way < 5*time.Millisecond || fast-way < (hash-way)/2, "a refused attempt takes %v at best, a judged one %v, a request that nothing judges %v: want a refusal that costs less than half of a judgement", fast, hash, way)
	}
}

// unjudged is the least that a request takes which nothing judges: what is above it is
// the server's work.
func (t *T) unjudged() time.Duration {
	var took []time.Duration
	from := t.plain()
	for range 3 {
		a := t.Send(Request{Path: "/vitals-audit-no-such-path", From: from, Label: "unknown path"})
		took = append(took, a.Done.Sub(a.Sent))
	}
	return quantile(took, 0)
}

func lockNotProlonged(t *T) {
	from, email, l := t.Address(), unknownAccount(), t.Limit("login")
	first := t.lockOut(from, email)
	if first.RetryAfter() < 0 {
		t.Skip("%v: no Retry-After tells when the lock ends; LK5 waits for its end", first)
	}
	end := first.Done.Add(time.Duration(first.RetryAfter()) * time.Second)
	stop := first.Done.Add(l.Lock / 3) // a short clock's lock may be over before 200 attempts
	last, n := first.RetryAfter(), 0
	for n < 200 && time.Now().Before(stop) {
		a := t.Guess(from, email)
		if !t.WantRefused("login", a) || !t.counts("login", a.RetryAfter() <= last, "%v: Retry-After rose from %d to %d", a, last, a.RetryAfter()) {
			return
		}
		last = a.RetryAfter()
		n++
	}
	t.sleep(min(2*time.Second, l.Lock/3))
	var a Answer
	for range 3 { // a lock that a look takes away is none
		if a = t.Guess(from, email); !t.WantRefused("login", a) {
			return
		}
	}
	moved := a.Done.Add(time.Duration(a.RetryAfter()) * time.Second).Sub(end)
	t.counts("login", moved <= time.Second && moved >= -time.Second-a.Done.Sub(a.Sent), "after %d attempts during the lock its end moved by %v", n, moved.Round(10*time.Millisecond))
	t.counts("login", a.RetryAfter() < first.RetryAfter(), "Retry-After did not fall: %d, then %d", first.RetryAfter(), a.RetryAfter())
}

func lockEnds(t *T) {
	from, next, l := t.Address(), t.strangers(), t.Limit("login")
	first := t.lockOut(from, next())
	// By the lock that is promised, whatever the refusal says of it.
	t.until(first.Sent.Add(l.Lock-2*time.Second), "the lock is to hold until shortly before its end")
	for range 2 {
		if a := t.Guess(from, next()); !t.WantRefused("login", a) {
			t.Note("the lock was over before its end: %v after it began, of %v that are promised", a.Sent.Sub(first.Sent).Round(100*time.Millisecond), l.Lock)
			return
		}
	}
	t.until(first.Done.Add(l.Lock), "the lock ends")
	for i := range l.Limit {
		a := t.Guess(from, next())
		if !t.WantWrong("login", a) {
			return
		}
		t.Check(a.Remaining() < 0 || a.Remaining() == l.Limit-1-i, "%v: %d left after %d failures, want %d: the log was not emptied", a, a.Remaining(), i+1, l.Limit-1-i)
	}
	t.WantRefused("login", t.Guess(from, next()))
}
