package harness

import (
	"fmt"
	"strings"
	"time"

	"vitals/internal/faults"
	"vitals/report"
	"vitals/targets"
)

// verdict of one run. A control that leaked is a fact whatever the generator's
// health was; a missed latency is one only when we measured the server and not
// ourselves, all of the server's requests are ours, and it ran all the time.
func verdict(r *report.Run) string {
	leaked := r.Invariants.Broken() > 0
	var failed, missing bool
	for _, v := range r.Verdicts {
		switch v.Status {
		case targets.Fail:
			failed = true
			for _, family := range []string{"lockout.", "intruders.", faults.LeakedFact} {
				leaked = leaked || strings.HasPrefix(v.Target.Metric, family)
			}
		case targets.NoData:
			missing = true
		}
	}
	switch {
	case leaked:
		return report.Fail
	case len(r.Result.Health.Invalid) > 0, r.Reconciliation != nil && len(r.Reconciliation.Findings) > 0:
		return report.Invalid
	case failed:
		return report.Fail
	case missing || len(r.Verdicts) == 0:
		return report.NoData
	}
	return report.Pass
}

// conclude sets the session's verdict, its reasons and its exit code from the
// runs so far: a failure first, then what could not be measured.
func (ses *session) conclude(interrupted bool) {
	d := ses.doc
	d.Verdict, d.Reasons, d.Exit = report.Pass, nil, ExitPass
	for _, r := range d.Runs {
		switch r.Verdict {
		case report.Fail:
			d.Verdict, d.Exit = report.Fail, ExitFail
		case report.Invalid, report.NoData:
			if d.Verdict != report.Fail {
				d.Exit = ExitNoAnswer
				if d.Verdict != report.Invalid {
					d.Verdict = r.Verdict
				}
			}
		}
		d.Reasons = append(d.Reasons, reasons(r)...)
		d.Partial = d.Partial || r.Result.Partial
	}
	if len(d.Runs) == 0 {
		d.Verdict, d.Exit = report.NoData, ExitNoAnswer
	}
	if interrupted {
		d.Partial, d.Exit = true, ExitInterrupted
	}
}

func reasons(r report.Run) []string {
	var out []string
	for _, why := range r.Result.Health.Invalid {
		out = append(out, r.Result.Scenario+": invalid: "+why)
	}
	if r.Invariants != nil {
		for _, v := range r.Invariants.Violations[:min(3, len(r.Invariants.Violations))] {
			out = append(out, fmt.Sprintf("%s: %s %s %s: %s", r.Result.Scenario, v.Rule, v.Policy, v.Key, v.Words))
		}
	}
	if r.Reconciliation != nil {
		for _, why := range r.Reconciliation.Findings[:min(3, len(r.Reconciliation.Findings))] {
			out = append(out, r.Result.Scenario+": invalid: "+why)
		}
	}
	for _, v := range r.Verdicts {
		if v.Status != targets.Pass {
			out = append(out, fmt.Sprintf("%s: %s", r.Result.Scenario, v))
		}
	}
	return out
}

// maxLag is how late our own requests may be before latencies are no longer the
// server's: a tenth of the strictest latency asked for, and 2 ms at least
// .
func maxLag(ts []targets.Target) time.Duration {
	strictest := time.Duration(0)
	for _, t := range ts {
		latency := t.Metric == "max" || t.Metric == "mean" || strings.HasPrefix(t.Metric, "p")
		if limit := time.Duration(t.Limit); latency && strings.HasPrefix(t.Op, "<") && (strictest == 0 || limit < strictest) {
			strictest = limit
		}
	}
	return max(2*time.Millisecond, strictest/10)
}
