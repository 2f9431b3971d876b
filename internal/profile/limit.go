package profile

import (
	"net/http"
	"slices"
	"time"
)

// Limit is one line of a limits table: what is counted, for whom, and what comes
// when there was too much of it. A window without a lock forgets; a lock without a
// window counts until it locks, or until a success; a limit with a delay makes
// each try beyond it wait longer.
type Limit struct {
	Limit    int           // how many are judged
	Window   time.Duration // in which they count; 0 = until the lock, or a success
	Fixed    bool          // windows follow one another, so that twice the limit may fall around an edge; else they slide
	Lock     time.Duration // 0 = exceeding it does not lock
	Delay    Delay         // the zero value = the wait does not grow
	Counts   string        // Failures or Requests
	Success  string        // what a right credential does to counted failures: Clears or Keeps; "" = nobody says
	By       string        // ByAddress ("" as well), ByAccount, ByUser, ByBoth or ByPair
	Account  int           // failures from which an account is throttled whatever the address; 0 = never
	Statuses []int         // that it refuses with; empty = 429
	Headers  string        // form of what it announces: a Form; "" = as promised for all limits
	Says     string        // FILE:LINE of the document that promises it; "" = the profile alone does
}

// Delay is a wait that doubles with each try beyond the limit.
type Delay struct {
	From time.Duration // the first; 0 = none
	To   time.Duration // at most; 0 = without end
}

// After is the wait that is due after n waits before it: the first doubled n times, at
// most the longest.
func (d Delay) After(n int) time.Duration {
	wait := d.From
	for ; n > 0 && wait < 24*time.Hour && (d.To == 0 || wait < d.To); n-- {
		wait *= 2
	}
	if d.To > 0 {
		return min(wait, d.To)
	}
	return wait
}

// What a limit counts.
const (
	Failures = "failures" // refused credentials
	Requests = "requests" // every request that was admitted
)

// What a right credential does to a count of failures.
const (
	Clears = "clears" // those of its user
	Keeps  = "keeps"  // none
)

// Whose requests share a count.
const (
	ByAddress = "address" // of the client
	ByAccount = "account" // that the request names, signed in or not
	ByUser    = "user"    // who is signed in; else by address
	ByBoth    = "both"    // one count by address and one by account or user, either of which refuses
	ByPair    = "pair"    // address and account together: another of either has a count of its own
)

// Locks tells whether exceeding the limit locks.
func (l Limit) Locks() bool { return l.Lock > 0 }

// Wait is the longest that a refusal may tell a client to wait: the lock, else the
// longest delay, else the window.
func (l Limit) Wait() time.Duration {
	switch {
	case l.Lock > 0:
		return l.Lock
	case l.Delay.To > 0:
		return l.Delay.To
	}
	return max(l.Delay.From, l.Window)
}

// Refuses tells whether a status is one that the limit refuses with.
func (l Limit) Refuses(status int) bool {
	if len(l.Statuses) == 0 {
		return status == http.StatusTooManyRequests
	}
	return slices.Contains(l.Statuses, status)
}

// Status is the one that the limit refuses with, the first when it has several.
func (l Limit) Status() int {
	if len(l.Statuses) == 0 {
		return http.StatusTooManyRequests
	}
	return l.Statuses[0]
}

// Most is how many may be admitted within any time as long as the window.
func (l Limit) Most() int {
	if l.Fixed {
		return 2 * l.Limit
	}
	return l.Limit
}

// Forgets tells whether what was counted leaves the count by itself.
func (l Limit) Forgets() bool { return l.Window > 0 }
