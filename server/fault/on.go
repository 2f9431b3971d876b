//go:build faults

package fault

import (
	"os"
	"time"
)

// Built tells whether this build can be broken.
const Built = true

// Is tells whether the fault is on.
func Is(n Name) bool { return os.Getenv(Variable) == string(n) }

// Pass gives the fault on to a process with the environment.
func Pass(env map[string]string) { env[Variable] = os.Getenv(Variable) }

// slow is how long a listing of medications sleeps, set by the linker:
// -ldflags "-X vitals/server/fault.slow=5ms". Two builds that differ in nothing
// else show what a comparison of builds can see.
var slow string

// Slow is how much slower the list of medications is; 0 = as it is.
func Slow() time.Duration {
	if slow == "" {
		return 0
	}
	d, err := time.ParseDuration(slow)
	if err != nil {
		panic("built with -X vitals/server/fault.slow=" + slow + ": want a duration")
	}
	return d
}
