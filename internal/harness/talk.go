package harness

import (
	"fmt"
	"time"

	"vitals/internal/measure"
	"vitals/report"
	"vitals/scenarios"
)

// say prints one line of talk, past the live line.
func (ses *session) say(words string) {
	ses.live.Done()
	fmt.Fprintln(ses.s.Err, words)
}

// signingIn tells how far the sign-in before a window is, each tenth of it.
func (ses *session) signingIn(done, of int) {
	if of >= 10 && done%(of/10) != 0 && done != of {
		return
	}
	if done == of {
		ses.say(fmt.Sprintf("signed in %d accounts", of))
		return
	}
	if done == 0 {
		ses.say(fmt.Sprintf("signing in %d accounts (argon2 takes its time)", of))
	}
}

// show updates the live line.
func (ses *session) show(sc *scenarios.Scenario, shape scenarios.Load, s measure.Snapshot) {
	now := report.Now{Scenario: sc.Name, Elapsed: min(s.At, shape.Total()), Total: shape.Total(), Snapshot: s}
	for _, p := range shape.Phases() {
		if s.At >= p.From && s.At < p.To {
			now.Phase = p.Name
		}
	}
	if shape.Model == scenarios.Users {
		now.Users = shape.Users().Level(min(s.At, shape.Total()-time.Nanosecond))
	}
	ses.live.Show(now)
}
