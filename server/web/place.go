package web

import "context"

// Place is a request's place among those that the server works on at once
// (MAX_IN_FLIGHT). One goroutine uses it, the request's own.
type Place interface {
	// Leave gives the place back. Leaving twice is leaving once.
	Leave()
	// Enter takes a place again. With wait it waits for one until the request
	// ends; without, it reports whether one was free.
	Enter(wait bool) bool
}

type placeKey struct{}

// WithPlace returns a context that carries the request's place.
func WithPlace(ctx context.Context, p Place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

// StepAside gives the request's place back while it waits for its turn, and
// returns how to take one again. Hundreds of sign-ins that queue for a password
// hash are no work, and must not turn away those who ask for something else.
func StepAside(ctx context.Context) (back func()) {
	p, ok := ctx.Value(placeKey{}).(Place)
	if !ok {
		return func() {}
	}
	p.Leave()
	return func() { p.Enter(true) }
}

// StepOut is StepAside for a wait on the client, who may take as long as it
// likes: back reports whether there still is a place, and does not wait for one.
func StepOut(ctx context.Context) (back func() bool) {
	p, ok := ctx.Value(placeKey{}).(Place)
	if !ok {
		return func() bool { return true }
	}
	p.Leave()
	return func() bool { return p.Enter(false) }
}
