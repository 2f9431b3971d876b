package limitcheck

import (
	"fmt"
	"time"
)

// windows is what was surely counted over many windows that follow one another. Of a
// span of time each such window sees no more than the limit, and the span touches at
// most its whole windows and two more: what is beyond that was admitted over the limit,
// though no two windows show it.
type windows struct {
	n    int   // counted since first; 0 = none
	from int64 // when the earliest of them was sent, in ns from the epoch
	to   int64 // when the latest was answered
}

// add takes one more, and begins anew where the limit allows for all so far: nothing
// before then makes what follows too much.
func (w *windows) add(r *Rule, sent, done int64) {
	if w.n > 0 && float64(w.n) <= float64(r.Limit)*float64(done-w.from)/float64(r.Window) {
		*w = windows{}
	}
	if w.n == 0 || sent < w.from {
		w.from = sent
	}
	w.n, w.to = w.n+1, max(w.to, done)
}

// allowed is how many the limit allows in the time at most. A second is for servers
// that count in whole ones.
func (w *windows) allowed(r *Rule) int {
	return r.Limit * (int((time.Duration(w.to-w.from)+slack)/r.Window) + 2)
}

// overWindows accuses a limit of fixed windows that is kept in none of many.
func (t *track) overWindows(c *Checker, e *Event) bool {
	if n := len(t.counted); !t.rule.Fixed || n == 0 || !t.counted[n-1].certain {
		return false
	}
	t.windows.add(&t.rule, t.at(e.Sent), t.at(e.Done))
	allowed := t.windows.allowed(&t.rule)
	if t.windows.n <= allowed {
		return false
	}
	what, shown := "requests admitted", []*Event{e}
	if t.rule.Failures {
		what = "failures judged"
	}
	if len(t.newest) > 0 {
		shown = nil
		for k := range t.newest {
			shown = append(shown, &t.newest[k])
		}
	}
	c.accuse("J1", t, fmt.Sprintf("%d %s within %v, allowed are %d: %d in each window of %v, and two windows more for where they begin and end",
		t.windows.n, what, time.Duration(t.windows.to-t.windows.from).Round(time.Millisecond), allowed, t.rule.Limit, t.rule.Window), shown...)
	t.told = t.windows.to // a window within it shows nothing more
	return true
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
