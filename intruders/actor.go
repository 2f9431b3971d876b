package intruders

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"vitals/measure"
	"vitals/scenarios"
)

// actor is one address of one intruder.
type actor struct {
	p          Plan
	s          Sender
	began      time.Time
	in         scenarios.Intruder
	victim     Victim
	own, other netip.Addr
	seen       Attack
	bursting   bool // answers are noted in the order of release, not of judgement
}

// patience is how many answers without a judgement (503, a broken connection)
// an actor takes before it gives up: they are the server's trouble, not the
// lockout's, and prove nothing either way. A server that sheds load asks for a
// second's pause (Retry-After), and a stress run lasts a while.
const patience = 30

// pause is between an answer without a judgement and the next try.
const pause = 500 * time.Millisecond

// work guesses until the lock, or until its guesses are spent, then asks what a
// lock is worth: further guesses, the right password, and the same account from
// elsewhere.
func (a *actor) work(ctx context.Context) Attack {
	a.seen = Attack{Intruder: a.in.Name, From: a.own, AtOnce: a.in.AtOnce}
	if !a.wait(ctx, time.Until(a.began.Add(a.in.After))) {
		return a.seen
	}
	if a.in.AtOnce {
		a.burst(ctx)
		// What the burst lost to shedding and full queues is made up for one by
		// one, so that the lock is met in any case.
		for extra := 0; a.seen.Refused == 0 && extra < a.in.Guesses && ctx.Err() == nil; extra++ {
			a.guess(ctx, 1)
		}
	} else {
		a.guess(ctx, a.in.Guesses)
	}
	a.guess(ctx, 2)
	if ans := a.insist(ctx, knowing, a.own, a.victim.Password); answered(ans) {
		a.seen.Knowing++
		if ans.Code != http.StatusTooManyRequests {
			a.seen.Leaked++
		}
	}
	if ans := a.insist(ctx, standing, a.other, a.victim.Password); answered(ans) {
		a.seen.Standing++
		if ans.Code == http.StatusTooManyRequests {
			a.seen.Harmed++
		}
	}
	a.seen.Complete = ctx.Err() == nil && a.seen.Knowing > 0 && a.seen.Standing > 0
	return a.seen
}

// guess tries wrong passwords one after the other until n of them were judged or
// refused by the lock; the others prove nothing and are repeated, up to patience.
func (a *actor) guess(ctx context.Context, n int) {
	for lost := 0; n > 0 && lost < patience; {
		// The step is what a correct lockout makes of this guess: judged until
		// the limit, refused from then on.
		step := guessing
		if a.seen.Refused > 0 || a.seen.Limit > 0 && a.seen.Judged >= a.seen.Limit {
			step = refused
		}
		rest := a.in.Every
		if a.note(a.one(ctx, step, a.own, a.wrong())) {
			n--
		} else {
			lost++
			rest = max(rest, pause)
		}
		if !a.wait(ctx, rest) {
			return
		}
	}
}

// burst releases all guesses at once: a counter that reads and then writes
// admits more of them than its limit (hardening 4, trap 1).
func (a *actor) burst(ctx context.Context) {
	gs := make([]Guess, a.in.Guesses)
	for i := range gs {
		gs[i] = Guess{a.own, a.victim.Email, a.wrong()}
	}
	answers, spread, err := a.s.SignInAtOnce(ctx, gs)
	if err != nil {
		a.seen.Trouble = err.Error()
	}
	a.seen.Spread = spread
	a.bursting = true
	for _, ans := range answers {
		if !a.note(ans) {
			a.record(guessing, ans, ans.Code == http.StatusTooManyRequests) // a full queue's 429 is in order
			continue
		}
		// Which of them are judged is the server's choice; how many is not.
		step, ok := refused, ans.Code == http.StatusTooManyRequests
		if !ok {
			step, ok = guessing, ans.Code == http.StatusUnauthorized && (a.seen.Limit == 0 || a.seen.Judged <= a.seen.Limit)
		}
		a.record(step, ans, ok)
	}
	a.bursting = false
}

// insist repeats a sign-in until it is judged or refused.
func (a *actor) insist(ctx context.Context, step int, from netip.Addr, password string) Answer {
	ans := a.one(ctx, step, from, password)
	for range patience {
		if answered(ans) || !a.wait(ctx, pause) {
			break
		}
		a.seen.Lost++
		ans = a.one(ctx, step, from, password)
	}
	return ans
}

func (a *actor) one(ctx context.Context, step int, from netip.Addr, password string) Answer {
	ans := a.s.SignIn(ctx, Guess{from, a.victim.Email, password})
	want := map[int]int{guessing: http.StatusUnauthorized, refused: http.StatusTooManyRequests, knowing: http.StatusTooManyRequests, standing: http.StatusOK}[step]
	// The guess that exceeds the limit is where 429 begins; a server that does
	// not tell its limit in headers is not blamed for where it draws the line
	// here, the fact lockout.admitted judges that.
	ok := ans.Code == want || step == guessing && ans.Code == http.StatusTooManyRequests
	a.record(step, ans, ok)
	return ans
}

// queueing is the longest Retry-After that is no lock: a server whose slots are
// all taken by checks in flight asks for a second or so (hardening 2.5.2).
const queueing = 5 * time.Second

// note adds one wrong guess's answer to the account of this address, and reports
// whether it was judged or refused by a lock.
func (a *actor) note(ans Answer) bool {
	if !answered(ans) {
		a.seen.Lost++
		return false
	}
	if limit, err := strconv.Atoi(ans.Header.Get("X-RateLimit-Limit")); err == nil {
		a.seen.Limit = limit
	}
	if ans.Code != http.StatusTooManyRequests {
		a.seen.Judged++
		if a.seen.Refused > 0 && !a.bursting {
			a.seen.AfterLock++
		}
		return true
	}
	s, err := strconv.Atoi(ans.Header.Get("Retry-After"))
	retry := time.Duration(s) * time.Second
	if err == nil && retry <= queueing {
		a.seen.Lost++
		return false
	}
	a.seen.Refused++
	a.seen.RetryAfter = max(a.seen.RetryAfter, retry)
	return true
}

func (a *actor) record(step int, ans Answer, ok bool) {
	s := measure.Sample{
		Step: a.p.Step + step, Code: ans.Code, OK: ok, Class: ans.Class,
		Due: ans.Sent.Sub(a.began), Sent: ans.Sent.Sub(a.began), Done: ans.Done.Sub(a.began),
		RequestID: ans.Header.Get("X-Request-ID"),
	}
	switch {
	case ans.Code == http.StatusTooManyRequests:
		s.Outcome = measure.Refused
	case ok:
		s.Outcome = measure.Served
	case ans.Class == measure.None:
		s.Class = measure.BadStatus
	}
	a.p.Record(&s)
}

// wrong is a password that is surely not the victim's and passes every rule.
func (a *actor) wrong() string { return "not-" + a.victim.Password }

func (a *actor) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// answered tells whether the server judged or refused: a 5xx did neither.
func answered(a Answer) bool { return a.Code > 0 && a.Code < http.StatusInternalServerError }
