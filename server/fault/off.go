//go:build !faults

package fault

import "time"

// Built tells whether this build can be broken.
const Built = false

// Is tells whether the fault is on.
func Is(Name) bool { return false }

// Pass gives the fault on to a process with the environment.
func Pass(map[string]string) {}

// Slow is how much slower the list of medications is: not at all.
func Slow() time.Duration { return 0 }
