package harness

import (
	"fmt"
	"time"

	"vitals/internal/measure"
	"vitals/report"
	"vitals/scenarios"
	"vitals/targets"
)

// say prints one line of talk, past the live line.
func (ses *session) say(words string) {
	ses.live.Done()
	fmt.Fprintln(ses.s.Err, words)
}

// signingIn tells how far the sign-in before a window is, each tenth of it.
func (ses *session) signingIn(done, of int) {
	if ses.p.o.Quiet || of >= 10 && done%(of/10) != 0 && done != of {
		return
	}
	if done == of {
		ses.say(fmt.Sprintf("signed in %s", count(of, "account")))
		return
	}
	if done == 0 {
		ses.say(fmt.Sprintf("signing in %s (each costs the API a password hash)", count(of, "account")))
	}
}

// show tells everybody who watches how the run stands, and which targets are being
// lost.
func (ses *session) show(sc *scenarios.Scenario, shape scenarios.Load, asked []targets.Target, rec *measure.Recorder, s measure.Snapshot) []targets.Verdict {
	at := min(s.At, shape.Total()-time.Nanosecond)
	now := report.Now{Scenario: sc.Name, Elapsed: min(s.At, shape.Total()), Total: shape.Total(), Snapshot: s}
	now.Answers, now.Violations = ses.monitor.now()
	judged := false
	for _, p := range shape.Phases() {
		if at >= p.From && at < p.To {
			now.Phase, judged = p.Name, p.Judged
		}
	}
	if judged {
		now.Losing = targets.Losing(asked, sc.Name, s)
	}
	if shape.Model == scenarios.Users {
		now.Users = shape.Users().Level(at)
		rec.Gauge(at, "users", float64(now.Users))
	} else {
		now.Rate = planned(shape, at)
		rec.Gauge(at, "planned_per_second", now.Rate)
	}
	ses.shown.Show(now)
	if !ses.p.o.Quiet {
		ses.live.Show(now)
	}
	return now.Losing
}

// planned is how many journeys per second an open model starts at a moment.
func planned(shape scenarios.Load, at time.Duration) float64 {
	for _, s := range shape.Stages {
		if at < s.For {
			return s.From + (s.To-s.From)*float64(at)/float64(s.For)
		}
		at -= s.For
	}
	return 0
}
