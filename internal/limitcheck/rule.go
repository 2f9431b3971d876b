package limitcheck

import (
	"slices"
	"time"
)

// By says whose requests share a count.
type By uint8

// A count is kept for each address, each user (else address), or both, of which
// either may refuse; or for each user at each address.
const (
	Address By = iota
	User
	Either
	Pair
)

// Forever is the window of a count that ends with the lock, or with a success, and not
// by itself: longer than any run.
const Forever = 10 * 365 * 24 * time.Hour

// Rule is what a policy promises.
type Rule struct {
	Limit    int
	Window   time.Duration // Forever = until the lock, or a success
	Fixed    bool          // windows follow one another, so that two of them may fall into one as long; else they slide
	Lock     time.Duration // 0 = exceeding it does not lock
	Failures bool          // counts refused credentials; else every admitted request
	Kept     bool          // a right credential takes no failure back
	Clears   bool          // it takes its user's back; neither = nobody says
	By       By
	Partial  bool // requests that are not seen here count as well: too few left, or refused too early, proves nothing
	Account  int  // failures of one user, over all addresses, from which that user is throttled; 0 = never
	// Wrong and Refused are the statuses of a credential that was judged wrong, and of
	// a request that the limiter turned away; empty = 401, and 429.
	Wrong, Refused []int
	Right          []int // statuses of a right credential; empty = any 2xx
	Silent         bool  // refusals are not promised to tell how long to wait: one without Retry-After is sound
	AnyLock        bool  // how long a lock lasts is not promised: only that its end stays where it was told
}

// most is how many may be counted within any window.
func (r *Rule) most() int {
	if r.Fixed {
		return 2 * r.Limit
	}
	return r.Limit
}

// wrong tells whether a status is a wrong credential's.
func (r *Rule) wrong(status int) bool {
	if len(r.Wrong) > 0 {
		return slices.Contains(r.Wrong, status)
	}
	return status == 401
}

// failed tells whether the event is a credential that was judged and refused.
func (r *Rule) failed(e *Event) bool { return r.wrong(e.Status) && !r.refused(e) }

// refused tells whether the limiter turned the event away. Where a refusal has the
// status of a wrong credential, it is the one that says how long to wait.
func (r *Rule) refused(e *Event) bool {
	if len(r.Refused) > 0 && !slices.Contains(r.Refused, e.Status) || len(r.Refused) == 0 && e.Status != 429 {
		return false
	}
	return e.RetryAfter >= 0 || !r.wrong(e.Status)
}

// passed tells whether the event was judged and found right.
func (r *Rule) passed(e *Event) bool {
	if len(r.Right) > 0 {
		return slices.Contains(r.Right, e.Status) && !r.refused(e) && !r.failed(e)
	}
	return e.Status/100 == 2
}

// judged tells whether the limiter let the event through to a judgement. What was
// malformed never reached it; a redirect that is no declared success and a 5xx judged
// nothing.
func (r *Rule) judged(e *Event) bool {
	switch {
	case r.refused(e):
		return false
	case r.failed(e), r.passed(e):
		return true
	}
	switch e.Status {
	case 400, 404, 405, 406, 408, 411, 413, 414, 415, 422, 429, 431, 499:
		return false
	}
	return e.Status >= 200 && e.Status < 300 || e.Status >= 400 && e.Status < 500
}
