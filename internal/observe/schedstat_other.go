//go:build !linux

package observe

import "time"

func waited(int) (time.Duration, bool) { return 0, false }

// WaitedIn is known on Linux alone.
func WaitedIn(int, string) (time.Duration, bool) { return 0, false }
