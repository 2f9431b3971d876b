package identity

import "context"

// The limiter's policies that these routes stand behind (hardening 2.5.1).
const (
	loginPolicy = "login"
)

// Gate is the limiter as a credential check sees it: a slot is reserved before
// anything costly happens, so that parallel guesses cannot all pass (trap 1).
type Gate interface {
	// Enter reserves a slot by the client's address, or refuses with a
	// *web.Problem 429 or 503. It sets the limit headers on web.Header(ctx).
	Enter(ctx context.Context, policy string) (Attempt, error)
}

// Attempt is a reserved slot. Exactly one of its calls takes effect, the first;
// a deferred Release therefore gives the slot back on every way out that did
// not judge the client.
type Attempt interface {
	// Fail counts a wrong credential of user at this address.
	Fail(ctx context.Context, user string)
	// Pass forgets user's failures at this address; those of others stay (trap 6).
	Pass(ctx context.Context, user string)
	// Release judges nothing: the check did not come to a result.
	Release(ctx context.Context)
}
