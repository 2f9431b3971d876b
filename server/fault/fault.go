// Package fault names the ways in which a build with the tag faults can break the
// reference API on purpose, so that each probe is seen to catch what it is for.
// VITALS_FAULT=NAME switches one on. In every other build Built is false and Is
// is constant: the compiler drops what they guard, names and all.
package fault

// Variable of the environment that switches one fault on.
const Variable = "VITALS_FAULT"

// Name of a fault.
type Name string

// The faults.
const (
	GetThenIncr          Name = "get-then-incr"
	CountAfterHash       Name = "count-after-hash"
	LockExtended         Name = "lock-extended"
	SuccessClearsAddress Name = "success-clears-address"
	LeftmostForwarded    Name = "leftmost-forwarded"
	RawPath              Name = "raw-path"
	FailOpen             Name = "fail-open"
	SuccessFalse         Name = "success-false"
	TOTPReplay           Name = "totp-replay"
	RefreshReuse         Name = "refresh-reuse"
	VaryMissing          Name = "vary-missing"
	NullOrigin           Name = "null-origin"
	HeadersOnSuccess     Name = "headers-on-success"
	RetryAfterZero       Name = "retry-after-0"
	LockEvicted          Name = "lock-evicted"
	ReadyThroughPool     Name = "ready-through-pool"
	LiveTouchesDatabase  Name = "live-touches-database"
	LimitWidened         Name = "limit-widened"
	CountersInProcess    Name = "counters-in-process"
	UnknownFaster        Name = "unknown-faster"
	Panic                Name = "panic" // not to be caught: nothing of it may show (SH5, SE1)
)

// Fault is one of them for people.
type Fault struct {
	Name Name
	Does string
}

// All lists them.
func All() []Fault {
	return []Fault{
		{GetThenIncr, "a limiter reads its counter, and a round trip later writes it"},
		{CountAfterHash, "a sign-in is counted when its hash is done, and reserves no slot before"},
		{LockExtended, "each attempt during a lock begins it anew"},
		{SuccessClearsAddress, "a success forgets everybody's failures from its address"},
		{LeftmostForwarded, "the leftmost X-Forwarded-For is the client, whoever sent it"},
		{RawPath, "failures count for each spelling of the path on its own"},
		{FailOpen, "without Redis the limiter lets everything through"},
		{SuccessFalse, `a wrong sign-in is answered 200 {"success":false}`},
		{TOTPReplay, "a one-time code that was used is accepted again"},
		{RefreshReuse, "a refresh token that was used is accepted again"},
		{VaryMissing, "no answer says Vary"},
		{NullOrigin, "the origin null is allowed, with credentials"},
		{HeadersOnSuccess, "the limit's headers stand on successes alone"},
		{RetryAfterZero, "every Retry-After is 0"},
		{LockEvicted, "a lock is thrown away two seconds after it began"},
		{ReadyThroughPool, "/ready asks the database through the pool of requests"},
		{LiveTouchesDatabase, "/live asks the database"},
		{LimitWidened, "every limit is 10 % wider than its headers say, rounded up: 100 are 110, and 5 are 6"},
		{CountersInProcess, "each process counts for itself, Redis or not"},
		{UnknownFaster, "no hash is computed for an account that does not exist"},
		{Panic, "asking who one is panics"},
	}
}
