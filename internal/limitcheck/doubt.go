package limitcheck

import (
	"fmt"
	"slices"
	"time"
)

// suspicion is a refusal that nothing seen so far has earned; answers that are
// still under way may have.
type suspicion struct {
	Event
	rule     string
	prior    *Event    // whose announced wait was kept
	ended    time.Time // of the lock before: not of the one that this refusal began
	possible int       // what may have been counted or in flight then, as far as seen
	account  int       // the same at its user's account, over all addresses
}

// remainder is an answer whose Remaining does not fit what was counted.
type remainder struct {
	Event
	possible, certain int
}

// settled is how long after an answer no request from before it can still be
// under way.
const settled = 30 * time.Second

// overlap lets an answer that was under way when a doubtful one was given
// explain it.
func (t *track) overlap(e *Event) {
	if t.rule.refused(e) {
		return
	}
	if s := t.suspect; s != nil && e.Sent.Before(s.Done) {
		s.possible++
	}
	if s := t.odd; s != nil && e.Sent.Before(s.Done) {
		if t.rule.Failures && t.rule.passed(e) {
			t.odd = nil // a success: what it forgave, and when, nobody knows
			return
		}
		s.possible++
	}
}

// earned tells whether a refusal may have been deserved.
func (t *track) earned(s *suspicion) bool {
	if l := t.lock; l != nil && !(l.first.Sent.Equal(s.Sent) && l.first.Done.Equal(s.Done)) && s.Sent.Before(l.hi.Add(slack)) && s.prior == nil {
		// Inside it, unless it began only later.
		if t.rule.AnyLock || !s.Done.Before(l.lo.Add(-t.rule.Lock-slack)) {
			return true
		}
	}
	if s.Sent.Before(s.ended.Add(slack)) && s.prior == nil {
		return true
	}
	if s.prior != nil { // after the wait, one more must fit, unless others came
		from, to := t.at(s.prior.Sent), t.at(s.Done)
		for _, x := range t.counted {
			if x.done > from && x.sent < to {
				return true
			}
		}
		return false
	}
	return s.possible >= t.rule.Limit || t.rule.Account > 0 && s.User != "" && s.account >= t.rule.Account-1
}

// overlapped tells whether a success was under way at the same time.
func (t *track) overlapped(e *Event) bool {
	return slices.ContainsFunc(t.passes, func(p Event) bool { return p.Done.After(e.Sent) && p != *e })
}

// left compares what the answer says is left with what was counted (J6).
func (t *track) left(c *Checker, e *Event, other bool) {
	if e.Remaining < 0 || e.Limit >= 0 && e.Limit != t.rule.Limit || t.rule.Limit > 200 || !t.rule.judged(e) {
		return
	}
	// A right password at the same time was judged before this one or after it,
	// and took away what was counted or had not yet.
	if t.odd != nil || t.overlapped(e) {
		return
	}
	possible, certain := t.within(e)
	if t.rule.Fixed { // a window may have begun just now
		certain = 0
	}
	if t.rule.failed(e) || !t.rule.Failures {
		certain++ // itself, which ended after it was sent
	}
	most, least := t.rule.Limit-certain, t.rule.Limit-possible
	if e.Remaining > most || e.Remaining < least && !c.o.Shared && !c.doubted && !t.rule.Partial && !other {
		t.odd = &remainder{*e, possible, certain}
	}
}

// settle decides what had to wait for answers under way. A zero time settles all.
func (t *track) settle(c *Checker, now time.Time) {
	due := func(e *Event) bool { return now.IsZero() || now.After(e.Done.Add(settled)) }
	if s := t.suspect; s != nil && due(&s.Event) {
		t.suspect = nil
		if !t.earned(s) && !c.elsewhere(t.key) {
			t.blame(c, s)
		}
	}
	if s := t.odd; s != nil && due(&s.Event) {
		t.odd = nil
		switch limit := t.rule.Limit; {
		case s.Remaining > limit-s.certain:
			c.accuse("J6", t, fmt.Sprintf("an answer said that %d of %d are left (X-RateLimit-Remaining); counted for certain: %d", s.Remaining, limit, s.certain), &s.Event)
		case s.Remaining < limit-s.possible && !c.elsewhere(t.key):
			c.accuse("J6", t, fmt.Sprintf("an answer said that %d of %d are left (X-RateLimit-Remaining); counted at the most: %d", s.Remaining, limit, s.possible), &s.Event)
		}
	}
}

func (t *track) blame(c *Checker, s *suspicion) {
	switch s.rule {
	case "J3":
		c.accuse("J3", t, "refused after the lock had ended", s.prior, &s.Event)
	case "J5":
		c.accuse("J5", t, fmt.Sprintf("refused although the announced %d s had been waited", s.prior.RetryAfter), s.prior, &s.Event)
	default:
		c.accuse("J4", t, fmt.Sprintf("refused, though at most %d of %d can have been counted", s.possible, t.rule.Limit), &s.Event)
	}
}
