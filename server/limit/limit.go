// Package limit is the API's rate limits and lockout: the
// policies, the reserve → verify → commit core on Redis and its twin in
// process, and the headers both give. It knows no route and no password.
package limit

import (
	"context"
	"time"
)

// Policy is one line of the limits table. Lock 0 means the policy denies but
// never locks. Failures tells what is counted: failed credential checks
// (login, 2fa_verify; asked by Begin and Commit), or every request (asked by
// Take).
type Policy struct {
	Name     string
	Limit    int           // entries in any Window
	Window   time.Duration // sliding, whole milliseconds
	Lock     time.Duration // from the request that exceeded; Failures policies only
	Failures bool
}

// Verdict is what the limiter says of one request.
type Verdict uint8

// The verdicts. Busy means that all free slots are taken by checks in flight:
// the caller waits, it is no attack.
const (
	Denied Verdict = iota // the zero value refuses
	Allowed
	Busy
	Locked    // a lock from an earlier request is in force
	LockedNow // this request exceeded the limit and started the lock
)

// String is the verdict as metrics and logs spell it.
func (v Verdict) String() string {
	switch v {
	case Allowed:
		return "allowed"
	case Busy:
		return "busy"
	case Locked:
		return "locked"
	case LockedNow:
		return "locked_now"
	default:
		return "denied"
	}
}

// Decision is a verdict with the numbers that the headers carry. Durations, not
// clock times: the limiter's clock may be another machine's.
type Decision struct {
	Verdict   Verdict
	Remaining int           // limit minus entries in the window; 0 while locked
	Reset     time.Duration // until Remaining next rises, or until the lock ends; 0 when nothing is used
	Retry     time.Duration // how long to wait before the next try; 0 when allowed or busy
	Untold    bool          // Remaining and Reset are not known: this process answered for a store that did not
}

// Outcome of a credential check.
type Outcome uint8

// The outcomes. Released is for our own failures (500, 503): neither a success
// nor a failure of the client; on a count-all policy it gives a Take back.
// Passed removes this user's failures from this key, others' stay (NIST SP
// 800-63B 5.2.2; clearing all of them would let an attacker with one account guess at the others).
const (
	Released Outcome = iota
	Failed
	Passed
)

// String is the outcome as the scripts spell it.
func (o Outcome) String() string {
	switch o {
	case Failed:
		return "failed"
	case Passed:
		return "passed"
	default:
		return "released"
	}
}

// Limiter decides atomically; one is backed by Redis, one by memory, and they
// pass the same tests. key is policy-independent (a masked address or a user)
// and holds neither braces nor spaces; id is unique per request and free of
// colons, so that a replay counts once. An error means that there is no
// decision: the store behind the limiter did not answer.
type Limiter interface {
	// Take counts one request of a count-all policy, or denies it uncounted.
	Take(ctx context.Context, p Policy, key, id string) (Decision, error)
	// Begin reserves a slot for one credential check of a Failures policy,
	// before anything costly happens.
	Begin(ctx context.Context, p Policy, key, id string) (Decision, error)
	// Commit settles a reservation. user says whose failures Passed clears. It
	// needs no reservation: a failure counts even if its slot is forgotten.
	Commit(ctx context.Context, p Policy, key, id string, o Outcome, user string) (Decision, error)
	// Lift ends a lock; it reports whether there was one.
	Lift(ctx context.Context, p Policy, key string) (bool, error)
}
