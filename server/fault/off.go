//go:build !faults

package fault

// Built tells whether this build can be broken.
const Built = false

// Is tells whether the fault is on.
func Is(Name) bool { return false }

// Pass gives the fault on to a process with the environment.
func Pass(map[string]string) {}
