package faults

import (
	"slices"
	"strings"
	"time"

	"vitals/targets"
)

// faultTargets are asked of a run with faults, where no sentence of the user's
// says what is good enough: a lockout that gives way to a fault is none.
var faultTargets = []string{LeakedFact + " == 0", RecoveryFact + " < 5s"}

// Targets adds them to those of the user.
func Targets(ts []targets.Target) []targets.Target {
	for _, text := range faultTargets {
		t, err := targets.Parse(text)
		if err != nil {
			panic("vitals: " + err.Error()) // a constant, held by a test
		}
		if !slices.ContainsFunc(ts, func(other targets.Target) bool { return other.Metric == t.Metric }) {
			ts = append(ts, t)
		}
	}
	return ts
}

// RecoveryAllowed is how long the sentences asked of the scenario let recovery
// take: so long after a fault's end, requests are not held to an ordinary day's
// targets.
func RecoveryAllowed(ts []targets.Target, scenario string) time.Duration {
	var longest time.Duration
	for _, t := range ts {
		if t.Metric == RecoveryFact && strings.HasPrefix(t.Op, "<") && t.Asked(scenario) {
			longest = max(longest, time.Duration(t.Limit))
		}
	}
	return longest
}
