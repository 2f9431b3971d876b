//go:build !linux

package load

import "context"

// newWaiter is the runtime's timer where there is no timerfd: about a millisecond
// late, which the lag histogram shows.
func newWaiter(context.Context) waiter { return newSleeper() }
