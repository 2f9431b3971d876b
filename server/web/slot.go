package web

import "context"

// Slot is a request's share of those that the server works on at once
// (MAX_IN_FLIGHT). One goroutine uses it, the request's own.
type Slot interface {
	// Release gives the slot back. Releasing twice is releasing once.
	Release()
	// Acquire takes a slot again. With wait it waits for one until the request ends;
	// without, it reports whether one was free.
	Acquire(wait bool) bool
}

type slotKey struct{}

// WithSlot returns a context that carries the request's slot.
func WithSlot(ctx context.Context, s Slot) context.Context {
	return context.WithValue(ctx, slotKey{}, s)
}

// ReleaseSlot gives the request's slot back while it waits for its turn, and returns
// how to take one again. Hundreds of sign-ins that wait for a password hash do no
// work, and must not turn away requests for something else.
func ReleaseSlot(ctx context.Context) (reacquire func()) {
	s, ok := ctx.Value(slotKey{}).(Slot)
	if !ok {
		return func() {}
	}
	s.Release()
	return func() { s.Acquire(true) }
}

// ReleaseSlotForClient is ReleaseSlot for a wait on the client, who may take as long
// as it likes: reacquire reports whether a slot was free, and does not wait for one.
func ReleaseSlotForClient(ctx context.Context) (reacquire func() bool) {
	s, ok := ctx.Value(slotKey{}).(Slot)
	if !ok {
		return func() bool { return true }
	}
	s.Release()
	return func() bool { return s.Acquire(false) }
}
