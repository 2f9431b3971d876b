package harness

import (
	"fmt"
	"slices"
	"strings"

	"vitals/internal/measure"
	"vitals/report"
	"vitals/scenarios"
)

// again tells whether a scenario is run once more by itself: its run is invalid for
// what the machine or the generator did, it is the first, and there are accounts for
// another one.
func (ses *session) again(run *report.Run, tries []report.Try) bool {
	return run.Verdict == report.Invalid && len(tries) < ses.p.o.Retries && ses.p.member == nil && ofOurs(run) && ses.p.accountsForAnother(ses)
}

// ofOurs tells whether it is the machine or the generator alone that made a run
// invalid: another run may then be sound.
func ofOurs(run *report.Run) bool {
	h := run.Result.Health
	ours := func(why string) bool { return strings.HasPrefix(why, "system: ") || why == measure.CauseRestarted }
	return len(h.Invalid) > 0 && !slices.ContainsFunc(h.Invalid, ours) && (run.Reconciliation == nil || len(run.Reconciliation.Findings) == 0)
}

// accountsForAnother tells whether the accounts are enough for the whole session and
// one scenario more: attacked ones cannot be attacked twice.
func (p *Plan) accountsForAnother(ses *session) bool {
	if !p.SignsIn() {
		return true
	}
	attacked := 0
	if ses.st.Source != nil {
		attacked = p.victimsNeeded(len(ses.st.Replicas))
	}
	return len(ses.st.Accounts) >= scenarios.Needed(p.o.Pace, twice(p.scenarios)...)+2*attacked
}

func twice(scs []*scenarios.Scenario) []*scenarios.Scenario { return slices.Concat(scs, scs) }

// try keeps what is told of a run that does not count: when it was, and why not.
func try(run *report.Run) report.Try {
	return report.Try{Began: run.Result.Began, Took: measure.Micros(run.Result.Took), Verdict: run.Verdict, Reasons: run.Reasons}
}

// told is a run with the tries before it, which do not count and are not hidden.
func told(run *report.Run, tries []report.Try) {
	run.Earlier = tries
	for _, t := range tries {
		run.Result.Notes = append(run.Result.Notes, fmt.Sprintf("tried again by itself, and this try counts: the one of %s was %s: %s",
			t.Began.UTC().Format("15:04:05"), t.Verdict, strings.Join(t.Reasons, "; ")))
	}
}
