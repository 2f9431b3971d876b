package process

import (
	"runtime/debug"

	"vitals/server/config"
)

// apiGarbage is how much garbage the API may make before it is collected, in
// percent of what lives. A password hash leaves 19 MiB behind: at Go's 100 every
// other sign-in begins a collection, which stops all requests twice, and a
// guesser decides how often (LK28).
const apiGarbage = 400

// tuneCollector gives the API's heap that room, and keeps it within what the
// machine grants the processes. GOGC and GOMEMLIMIT go first.
func tuneCollector(env map[string]string, m config.Machine, processes int) {
	if env["GOGC"] == "" {
		debug.SetGCPercent(apiGarbage)
	}
	if env["GOMEMLIMIT"] == "" && m.Memory > 0 {
		debug.SetMemoryLimit(m.Memory / int64(max(1, processes)) * 8 / 10) // the rest is stacks and the kernel's
	}
}
