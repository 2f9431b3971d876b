package history

import (
	"fmt"
	"slices"
	"time"
)

// track is the history of one key under one policy.
type track struct {
	key        key
	rule       Rule
	prev, next *track

	counted []entry // since the last lock, by arrival; at most keep()
	passes  []Event // latest successes: they took slots, and forgave
	lock    *lock
	ended   time.Time // when the last lock was over at the latest
	refusal *Event    // the latest, while nothing was counted after it
	suspect *suspicion
	odd     *remainder
	told    time.Time // what an accusation of J1 has covered
	toldOff bool      // Retry-After below 1 was accused
}

// entry is an event that the limiter may have counted.
type entry struct {
	Event
	certain bool
}

// lock is what the refusals of one lock tell of it. Its end lies between lo and
// hi; it began at minDone at the latest.
type lock struct {
	first            Event
	minSent, minDone time.Time
	lo, hi           time.Time
	ours             bool // we saw every failure that earned it
	moved            bool // accused already
}

func (t *track) keep() int { return t.rule.Limit + min(64, t.rule.Limit+16) }

func (t *track) add(c *Checker, e Event, throttled, other bool) {
	t.settle(c, e.Sent)
	t.overlap(e)
	switch {
	case refused(e):
		t.refuse(c, e, throttled, other)
	case t.rule.Failures:
		t.judge(c, e)
	default:
		t.admit(c, e, other)
	}
	if t.suspect != nil && t.earned(t.suspect) {
		t.suspect = nil
	}
}

// refuse looks at a 429.
func (t *track) refuse(c *Checker, e Event, throttled, other bool) {
	if e.RetryAfter < 1 && !t.toldOff {
		t.toldOff = true
		words := "a refusal without Retry-After"
		if e.RetryAfter == 0 {
			words = "a refusal with Retry-After 0: whoever obeys is refused again"
		}
		c.accuse("J5", t, words, e)
	}
	if throttled {
		return
	}
	if t.rule.Lock > 0 && e.RetryAfter > 1 {
		t.hold(c, e)
	}
	if c.o.Shared || t.rule.Partial || other || t.suspect != nil {
		return
	}
	s := &suspicion{Event: e, rule: "J4"}
	switch last := t.refusal; {
	case last == nil || last.RetryAfter < 1:
	case !e.Sent.Before(last.Done.Add(time.Duration(last.RetryAfter) * time.Second)):
		s.rule, s.prior = "J5", last
		if t.rule.Lock > 0 && last.RetryAfter > 1 {
			s.rule = "J3"
		}
	}
	s.possible, _ = t.within(e)
	// A right password at the same time took a slot too, and forgave nobody knows
	// whom: no accusation then.
	if !t.overlapped(e) && !t.earned(s) {
		t.suspect = s
	}
	if e.RetryAfter > 1 || t.refusal == nil {
		t.refusal = &e
	}
}

// hold learns from a refusal when the lock ends, and accuses one whose end moves.
func (t *track) hold(c *Checker, e Event) {
	wait := time.Duration(e.RetryAfter) * time.Second
	lo, hi := e.Sent.Add(wait-time.Second), e.Done.Add(wait)
	if t.lock != nil && e.Sent.After(t.lock.hi.Add(slack)) {
		t.close(c)
	}
	if t.lock == nil {
		if e.Sent.Before(t.ended) {
			return // a straggler of a lock that is over
		}
		_, certain := t.within(e)
		t.lock = &lock{first: e, minSent: e.Sent, minDone: e.Done, lo: lo, hi: hi, ours: certain >= t.rule.Limit}
	}
	l := t.lock
	if e.Sent.Before(l.minSent) {
		l.minSent = e.Sent
	}
	if e.Done.Before(l.minDone) {
		l.minDone = e.Done
	}
	if l.moved {
		return
	}
	switch {
	case lo.After(l.hi.Add(slack)):
		l.moved = true
		c.accuse("J7", t, fmt.Sprintf("the lock was prolonged by at least %v while it lasted", lo.Sub(l.hi).Round(time.Millisecond)), l.first, e)
	case hi.Before(l.lo.Add(-slack)):
		l.moved = true
		c.accuse("J7", t, fmt.Sprintf("the lock was shortened by at least %v while it lasted", l.lo.Sub(hi).Round(time.Millisecond)), l.first, e)
	case lo.After(l.minDone.Add(t.rule.Lock + slack)):
		l.moved = true
		c.accuse("J7", t, fmt.Sprintf("the lock is to last longer than %v", t.rule.Lock), l.first, e)
	default:
		l.lo, l.hi = latest(l.lo, lo), earliest(l.hi, hi)
	}
}

// close ends the lock's story.
func (t *track) close(c *Checker) {
	l := t.lock
	if l == nil {
		return
	}
	if l.ours && !l.moved && !c.o.Shared && l.hi.Before(l.minSent.Add(t.rule.Lock-slack)) {
		c.accuse("J7", t, fmt.Sprintf("the lock is to last shorter than %v", t.rule.Lock), l.first)
	}
	t.ended, t.lock = l.hi, nil
	t.counted = slices.DeleteFunc(t.counted, func(x entry) bool { return x.Sent.Before(l.lo) })
}

// judge looks at an answer of a policy that counts failures.
func (t *track) judge(c *Checker, e Event) {
	if l := t.lock; l != nil && judged(e) {
		if !e.Sent.Before(l.minDone) && !e.Done.After(l.lo) {
			c.accuse("J2", t, fmt.Sprintf("judged %v before the lock could end", l.lo.Sub(e.Done).Round(time.Millisecond)), l.first, e)
		} else if e.Sent.After(l.lo.Add(-slack)) {
			t.close(c) // it was judged, so the lock is over and its log empty
		}
	}
	switch {
	case failed(e):
		t.count(c, entry{e, !slices.ContainsFunc(t.passes, func(p Event) bool { return sameUser(p, e) && p.Done.After(e.Sent) })})
		t.refusal = nil
		t.overLimit(c)
	case judged(e):
		t.refusal = nil
		c.forgive(e)
	case e.Status == 0 || e.Status >= 500:
		t.count(c, entry{e, false}) // the client hung up, or we do not know
	default:
		return
	}
	t.left(c, e, false)
}

// forgive takes a success as what it may have done: every failure of its user
// from its address is forgotten, under whatever policy.
func (c *Checker) forgive(e Event) {
	for policy, rule := range c.rules {
		if !rule.Failures {
			continue
		}
		t, ok := c.keys[key{policy: policy, addr: e.From.Unmap()}]
		if !ok {
			continue
		}
		t.counted = slices.DeleteFunc(t.counted, func(x entry) bool { return sameUser(x.Event, e) && !x.Done.After(e.Sent) })
		for i, x := range t.counted { // at the same time: before it or after, nobody knows
			if sameUser(x.Event, e) && x.Sent.Before(e.Done) {
				t.counted[i].certain = false
			}
		}
		if t.passes = append(t.passes, e); len(t.passes) > t.rule.Limit+3 {
			t.passes = slices.Delete(t.passes, 0, 1)
		}
	}
}

// sameUser is true also when one of them is unknown.
func sameUser(a, b Event) bool { return a.User == b.User || a.User == "" || b.User == "" }

// admit looks at an answer of a policy that counts requests.
func (t *track) admit(c *Checker, e Event, other bool) {
	t.count(c, entry{e, judged(e) || e.Status == 404})
	t.refusal = nil
	t.overLimit(c)
	t.left(c, e, other)
}

// count keeps an entry, drops what no window can hold any more, and bounds the
// rest.
func (t *track) count(c *Checker, x entry) {
	gone := x.Sent.Add(-t.rule.Window - slack - settled)
	t.counted = slices.DeleteFunc(t.counted, func(o entry) bool { return o.Done.Before(gone) })
	t.counted = append(t.counted, x)
	if len(t.counted) > t.keep() {
		t.counted = slices.Delete(t.counted, 0, 1)
	}
}

// overLimit accuses when the newest limit+1 that were surely counted surely fell
// into one window (J1).
func (t *track) overLimit(c *Checker) {
	var sure []Event
	for _, x := range slices.Backward(t.counted) {
		if x.certain {
			if sure = append(sure, x.Event); len(sure) > t.rule.Limit {
				break
			}
		}
	}
	if len(sure) <= t.rule.Limit {
		return
	}
	first, last := sure[0].Sent, sure[0].Done
	for _, e := range sure {
		first, last = earliest(first, e.Sent), latest(last, e.Done)
	}
	if span := last.Sub(first); span < t.rule.Window && !first.Before(t.told) {
		slices.Reverse(sure)
		if len(sure) > 12 {
			sure = append(sure[:6:6], sure[len(sure)-6:]...)
		}
		what := "requests admitted"
		if t.rule.Failures {
			what = "failures judged"
		}
		c.accuse("J1", t, fmt.Sprintf("%d %s within %v, allowed are %d in %v", t.rule.Limit+1, what, span.Round(time.Millisecond), t.rule.Limit, t.rule.Window), sure...)
		t.told = last // once for each window
	}
}

// within counts what may have been, and what surely was, in the window at e.
func (t *track) within(e Event) (possible, certain int) {
	for _, x := range t.counted {
		if x.Sent.Before(e.Done) && x.Done.After(e.Sent.Add(-t.rule.Window-slack)) {
			possible++
		}
		if x.certain && !x.Done.After(e.Sent) && x.Sent.After(e.Done.Add(-t.rule.Window)) {
			certain++
		}
	}
	return possible, certain
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
