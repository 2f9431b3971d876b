//go:build faults

package fault

import "os"

// Built tells whether this build can be broken.
const Built = true

// Is tells whether the fault is on.
func Is(n Name) bool { return os.Getenv(Variable) == string(n) }

// Pass gives the fault on to a process with the environment.
func Pass(env map[string]string) { env[Variable] = os.Getenv(Variable) }
