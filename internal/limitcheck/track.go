package limitcheck

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// track is the record of one key under one policy.
type track struct {
	key        key
	rule       Rule
	epoch      time.Time
	prev, next *track

	counted []entry // since the last lock, by arrival; at most keep()
	newest  []Event // the last few of them, where requests are counted
	passes  []Event // latest successes: they took slots, and forgave
	lock    *lock
	ended   time.Time // when the last lock was over at the latest
	untold  time.Time // when a lock may be over at the earliest whose refusals do not say how long it lasts
	refusal *Event    // the latest, while nothing was counted after it
	suspect *suspicion
	odd     *remainder
	windows windows // of a limit whose windows follow one another
	told    int64   // what an accusation of J1 has covered; 0 = nothing
	toldOff bool    // Retry-After below 1 was accused
}

// entry is an event that the limiter may have counted. Requests are many, so
// they are kept as two times each; failures are few, and kept whole.
type entry struct {
	sent, done int64 // ns from the epoch
	certain    bool
	*Event     // nil where requests are counted
}

// at is a time as entries have it.
func (t *track) at(x time.Time) int64 { return int64(x.Sub(t.epoch)) }

// lock is what the refusals of one lock tell of it. Its end lies between lo and
// hi; it began at minDone at the latest.
type lock struct {
	first            Event
	minSent, minDone time.Time
	lo, hi           time.Time
	ours             bool // we saw every failure that earned it
	moved            bool // accused already
}

func (t *track) keep() int { return t.rule.most() + min(64, t.rule.Limit+16) }

func (t *track) add(c *Checker, e *Event, throttled, other bool) {
	t.settle(c, e.Sent)
	t.overlap(e)
	if !t.rule.refused(e) && !t.untold.IsZero() && e.Sent.After(t.untold) {
		t.emptied()
	}
	switch {
	case t.rule.refused(e) && e.Unsure:
	case t.rule.refused(e):
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

// refuse looks at a refusal.
func (t *track) refuse(c *Checker, e *Event, throttled, other bool) {
	if e.RetryAfter < 1 && !t.toldOff && !(t.rule.Silent && e.RetryAfter < 0 && e.Unread == "") {
		t.toldOff = true
		words := "a refusal without Retry-After"
		switch {
		case e.Unread != "":
			words = fmt.Sprintf("a refusal with Retry-After %.40q, which is neither whole seconds nor a date", e.Unread)
		case e.RetryAfter == 0:
			words = "a refusal with Retry-After 0: whoever obeys is refused again"
		}
		c.accuse("J5", t, words, e)
	}
	if throttled {
		return
	}
	possible, certain := t.within(e)
	// Where accounts are throttled too, a refusal that the address has not earned
	// says nothing of a lock on it: whoever came before us may have failed at the account.
	ofAddress := t.lock != nil || t.rule.Account == 0 || e.User == "" || possible >= t.rule.Limit
	// Of two counts either may refuse, and others may have earned the one that does.
	either := other && c.o.Shared
	if either && t.lock == nil && certain < t.rule.Limit {
		ofAddress = false
	}
	if t.rule.Lock > 0 && e.RetryAfter > 1 && ofAddress {
		t.hold(c, e, either)
	}
	if t.rule.Lock > 0 && e.RetryAfter <= 1 && t.lock == nil && t.untold.IsZero() {
		began := e.Sent
		if n := len(t.counted); n > 0 { // the last failure may have begun it
			began = t.epoch.Add(time.Duration(t.counted[n-1].sent))
		}
		t.untold = began.Add(t.rule.Lock - slack)
	}
	if c.o.Shared || c.doubted || t.rule.Partial || other || t.suspect != nil {
		return
	}
	s := &suspicion{Event: *e, rule: "J4", ended: t.ended, possible: possible}
	switch last := t.refusal; {
	case last == nil || last.RetryAfter < 1:
	case !e.Sent.Before(last.Done.Add(time.Duration(last.RetryAfter) * time.Second)):
		s.rule, s.prior = "J5", last
		if t.rule.Lock > 0 && last.RetryAfter > 1 {
			s.rule = "J3"
		}
	}
	// A right password at the same time took a slot too, and forgave nobody knows
	// whom: no accusation then.
	if !t.overlapped(e) && !t.earned(s) {
		t.suspect = s
		if t.rule.Account > 0 && e.User != "" {
			c.account(e.User).wait(s)
		}
	}
	if e.RetryAfter > 1 || t.refusal == nil {
		t.refusal = &s.Event
	}
}

// emptied takes a lock of which nobody said how long it lasts as over: what was counted
// before it may have been forgotten.
func (t *track) emptied() {
	for i := range t.counted {
		t.counted[i].certain = false
	}
	t.untold, t.windows = time.Time{}, windows{}
}

// hold learns from a refusal when the lock ends, and accuses one whose end moves; not where
// either of two locks may be the one that is told.
func (t *track) hold(c *Checker, e *Event, either bool) {
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
		t.lock = &lock{first: *e, minSent: e.Sent, minDone: e.Done, lo: lo, hi: hi, ours: certain >= t.rule.Limit}
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
	case either && (lo.After(l.hi.Add(slack)) || hi.Before(l.lo.Add(-slack)) || lo.After(l.minDone.Add(t.rule.Lock+slack))):
	case lo.After(l.hi.Add(slack)):
		l.moved = true
		c.accuse("J7", t, fmt.Sprintf("the lock was prolonged by at least %v while it lasted", lo.Sub(l.hi).Round(time.Millisecond)), &l.first, e)
	case hi.Before(l.lo.Add(-slack)):
		l.moved = true
		c.accuse("J7", t, fmt.Sprintf("the lock was shortened by at least %v while it lasted", l.lo.Sub(hi).Round(time.Millisecond)), &l.first, e)
	case !t.rule.AnyLock && lo.After(l.minDone.Add(t.rule.Lock+slack)):
		l.moved = true
		c.accuse("J7", t, fmt.Sprintf("the lock is to last longer than %v", t.rule.Lock), &l.first, e)
	default:
		l.lo, l.hi = latest(l.lo, lo), earliest(l.hi, hi)
	}
}

// close ends the lock.
func (t *track) close(c *Checker) {
	l := t.lock
	if l == nil {
		return
	}
	if l.ours && !l.moved && !c.o.Shared && !t.rule.AnyLock && l.hi.Before(l.minSent.Add(t.rule.Lock-slack)) {
		c.accuse("J7", t, fmt.Sprintf("the lock is to last shorter than %v", t.rule.Lock), &l.first)
	}
	t.ended, t.lock, t.windows = l.hi, nil, windows{}
	from := t.at(l.lo)
	t.counted = slices.DeleteFunc(t.counted, func(x entry) bool { return x.sent < from })
}

// judge looks at an answer of a policy that counts failures.
func (t *track) judge(c *Checker, e *Event) {
	if e.Unsure {
		if t.rule.passed(e) {
			c.forgive(e)
		} else {
			t.count(e, false)
		}
		return
	}
	if l := t.lock; l != nil && t.rule.judged(e) {
		known := t.rule.failed(e) || t.rule.passed(e) // what nobody declared may be another refusal
		if known && !e.Sent.Before(l.minDone) && !e.Done.After(l.lo) {
			c.accuse("J2", t, fmt.Sprintf("judged %v before the lock could end", l.lo.Sub(e.Done).Round(time.Millisecond)), &l.first, e)
		} else if e.Sent.After(l.lo.Add(-slack)) {
			t.close(c) // it was judged, so the lock is over and its log empty
		}
	}
	switch {
	case t.rule.failed(e):
		t.count(e, !slices.ContainsFunc(t.passes, func(p Event) bool { return sameUser(&p, e) && p.Done.After(e.Sent) }))
		t.refusal = nil
		t.overLimit(c, e)
	case t.rule.passed(e):
		t.refusal = nil
		c.forgive(e)
	case t.rule.judged(e): // neither right nor a declared wrong: it may have been counted
		t.refusal = nil
		t.count(e, false)
	case e.Status == 0 || e.Status >= 400:
		t.count(e, false) // the client hung up, it was malformed, or we do not know
	default:
		return
	}
	t.left(c, e, false)
}

// admit looks at an answer of a policy that counts requests.
func (t *track) admit(c *Checker, e *Event, other bool) {
	t.count(e, (t.rule.judged(e) || e.Status == 404) && !e.Unsure)
	if e.Unsure {
		return
	}
	t.refusal = nil
	t.overLimit(c, e)
	t.left(c, e, other)
}

// count keeps an entry, drops what no window can hold any more, and bounds the
// rest.
func (t *track) count(e *Event, certain bool) {
	x := entry{sent: t.at(e.Sent), done: t.at(e.Done), certain: certain}
	if t.rule.Failures {
		whole := *e
		x.Event = &whole
	} else if certain {
		if len(t.newest) == shownRequests {
			t.newest = slices.Delete(t.newest, 0, 1)
		}
		t.newest = append(t.newest, *e)
	}
	gone, old := x.sent-int64(t.rule.Window+slack+settled), 0
	for old < len(t.counted) && t.counted[old].done < gone {
		old++
	}
	t.counted = slices.Delete(t.counted, 0, old)
	t.counted = append(t.counted, x)
	if len(t.counted) > t.keep() {
		t.counted = slices.Delete(t.counted, 0, 1)
	}
}

// shownRequests is how many of the requests beyond a limit are shown.
const shownRequests = 4

// overLimit accuses a limit that was surely not kept (J1): one excess once, whether one
// window shows it or only many do.
func (t *track) overLimit(c *Checker, e *Event) {
	if t.overWindow(c) || t.overWindows(c, e) {
		t.windows = windows{}
	}
}

// overWindow accuses when the newest limit+1 that were surely counted surely fell
// into one window.
func (t *track) overWindow(c *Checker) bool {
	need := t.rule.most() + 1
	if len(t.counted) < need {
		return false
	}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	i := len(t.counted)
	for i > 0 && need > 0 {
		if i--; t.counted[i].certain {
			first, last, need = min(first, t.counted[i].sent), max(last, t.counted[i].done), need-1
		}
	}
	span := time.Duration(last - first)
	if need > 0 || span >= t.rule.Window || t.told != 0 && first < t.told {
		return false
	}
	var shown []*Event
	what := "requests admitted"
	if t.rule.Failures {
		what = "failures judged"
		for _, x := range t.counted[i:] {
			if x.certain {
				shown = append(shown, x.Event)
			}
		}
		if n := len(shown); n > 12 {
			shown = append(shown[:6:6], shown[n-6:]...)
		}
	}
	for k := range t.newest {
		shown = append(shown, &t.newest[k])
	}
	in := fmt.Sprintf("in %v", t.rule.Window)
	switch {
	case t.rule.Window == Forever:
		in = "until a lock or a success"
	case t.rule.Fixed:
		in += fmt.Sprintf(": %d in each of the two windows that it may touch", t.rule.Limit)
	}
	c.accuse("J1", t, fmt.Sprintf("%d %s within %v, allowed are %d %s", t.rule.most()+1, what, span.Round(time.Millisecond), t.rule.most(), in), shown...)
	t.told = last // once for each window
	return true
}

// within counts what may have been, and what surely was, in the window at e.
func (t *track) within(e *Event) (possible, certain int) {
	sent, done, window := t.at(e.Sent), t.at(e.Done), int64(t.rule.Window)
	for i := range t.counted {
		x := &t.counted[i]
		if x.sent < done && x.done > sent-window-int64(slack) {
			possible++
		}
		if x.certain && x.done <= sent && x.sent > done-window {
			certain++
		}
	}
	return possible, certain
}
