package harness

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vitals/internal/exit"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// asked is what was wanted of a run, as its verdict needs it.
type asked struct {
	nothing bool            // --targets none: the invariants alone may be what is judged
	bare    bool            // no profile says what the API promises
	abort   *targets.Target // the abort rule that ended the run; nil = none did, or it is not known
}

// decide is the verdict of one run and the reasons for it, the weightiest first,
// from what was measured alone. In this order:
//
//   - a control that leaked is a failure, whatever the generator's health was;
//   - so is an error rate that was missed, unless we caused errors ourselves or
//     the system was not one and ours alone: lateness of ours makes no answer wrong;
//   - an abort rule that tripped is a failure, unless it watched times that were ours;
//   - a run whose users the system turned away at the door shows too little, whatever
//     else we were: that is no answer, and not the generator's doing;
//   - times of a run in which we were late are nobody's, and counts that do not
//     agree with the server's are of no one run: invalid;
//   - a target that was missed is a failure;
//   - a run that ended before its schedule, or in which nobody was served (at all, or from some moment to its end), a target
//     without data, an intruder that showed nothing, and a run of which nothing at all was judged, are no answer.
func decide(r *report.Run, a asked) (verdict string, reasons []string) {
	h := r.Result.Health
	ours := slices.DeleteFunc(slices.Clone(h.Invalid), func(why string) bool { return slices.Contains(h.Late, why) })
	if r.Reconciliation != nil {
		ours = append(ours, r.Reconciliation.Findings...)
	}
	timesOf := func(t targets.Target) bool { return len(h.Late) > 0 && !untimed(t.Metric) }

	var granted, wrong, unsure, missed, missing, silent []string
	if len(r.Result.Silent) > 0 { // who was to be asked by attacking it gave no answer
		silent = few(shownNot(r.Result, ""))
	}
	for _, v := range r.Verdicts {
		switch {
		case v.Status == targets.NoData:
			missing = append(missing, v.String())
			if control(v.Target.Metric) { // why, once for all of them
				silent = few(shownNot(r.Result, ""))
			}
		case v.Status == targets.Pass:
		case control(v.Target.Metric):
			granted = append(granted, said(v))
		case len(ours) > 0 || timesOf(v.Target):
			unsure = append(unsure, v.String())
		case untimed(v.Target.Metric):
			wrong = append(wrong, v.String())
		default:
			missed = append(missed, v.String())
		}
	}
	// Who got in tells more than how often he tried.
	slices.SortStableFunc(granted, func(a, b string) int {
		return cmp.Compare(strings.Count(b, plainly["intruders.leaked"]), strings.Count(a, plainly["intruders.leaked"]))
	})
	if excess := func(v targets.Verdict) bool { return v.Status == targets.Fail && v.Target.Metric == "intruders.excess" }; a.bare && slices.ContainsFunc(r.Verdicts, excess) {
		granted = append(granted, "no profile says what limit this API promises, so intruders.excess was counted against the published one: 5 wrong passwords in 5 minutes, by address (--profile)")
	}
	if asks := func(v targets.Verdict) bool { return v.Target.Metric == "intruders.leaked" }; !slices.ContainsFunc(r.Verdicts, asks) {
		granted = append(slices.Clone(r.Result.Granted), granted...)
	}
	if r.Invariants != nil {
		for _, v := range r.Invariants.Violations {
			granted = append(granted, fmt.Sprintf("%s %s %s: %s", v.Rule, v.Policy, v.Key, v.Words))
		}
	}
	var aborted, ended []string
	switch why := ending(r.Result); {
	case why == "":
	case r.Result.EndedBy == measure.Aborted && len(ours) == 0 && (len(h.Late) == 0 || a.abort != nil && !timesOf(*a.abort)):
		aborted = []string{why}
	default:
		ended = []string{why}
	}
	if c := r.Result.Total(true, false).Counts; c.Sent > 0 && c.Refused == c.Sent && c.Errors > 0 { // nobody asked for these refusals
		ended = append(ended, fmt.Sprintf("nobody was served: all %d requests were refused", c.Sent))
	}
	if why := unserved(r.Result); why != "" && len(ended) == 0 {
		ended = append(ended, why)
	}
	switch {
	case len(r.Verdicts) > 0 || a.nothing && (r.Invariants.Judged() || len(r.Result.Granted) > 0):
	case a.nothing:
		missing = []string{"nothing was judged: no target was asked for (--targets none), and there were no limits to hold to their invariants"}
	default:
		missing = []string{"no target is asked of this scenario: write targets into it, or name some with --targets"}
	}
	invalid := slices.Concat(slices.Clone(h.Invalid), reconciled(r))
	for i, why := range invalid {
		invalid[i] = "invalid: " + why
	}

	verdict = report.Pass
	switch {
	case len(granted)+r.Invariants.Broken()+len(wrong)+len(aborted) > 0:
		verdict = report.Fail
	case len(h.Away) > 0 && len(invalid) > 0:
		verdict = report.NoData
	case len(invalid) > 0:
		verdict = report.Invalid
	case len(missed) > 0:
		verdict = report.Fail
	case len(ended)+len(missing)+len(r.Result.Silent)+len(h.Away) > 0:
		verdict = report.NoData
	}
	return verdict, slices.Concat(few(granted), aborted, wrong, few(h.Away), few(invalid), ended, missed, unsure, silent, missing)
}

// verdicts are what the targets say of a run. A time or a rate of one that measured
// its generator is no figure of the system, and what was measured across a restart, or
// beside somebody else's requests, none of this load: such a target is neither met nor
// missed. What an attacker was granted stands.
func verdicts(wanted []targets.Target, run *report.Run) []targets.Verdict {
	out := targets.Judge(wanted, run.Result)
	whose := func(metric string) string {
		switch found := reconciled(run); {
		case control(metric):
			return ""
		case len(run.Result.Health.Invalid) > 0 && !untimed(metric):
			return "it is partly the generator's own"
		case len(found) == 0:
			return ""
		case strings.HasPrefix(found[0], measure.CauseRestarted):
			return "the system was restarted meanwhile"
		}
		return "the server counted other requests than were sent"
	}
	for i := range out {
		v := &out[i]
		if why := whose(v.Target.Metric); why != "" && v.Status != targets.NoData {
			v.Status, v.Note = targets.NoData, fmt.Sprintf("not judged: %s was measured, and %s", v.Target.Unit().Format(v.Got), why)
		}
		if why := shownNot(run.Result, v.Target.Metric); v.Status == targets.NoData && control(v.Target.Metric) && len(why) > 0 {
			v.Note = strings.Join(why, "; ")
		}
	}
	return out
}

// ending is why a run ended before its schedule, in words; "" when it did not.
func ending(r *measure.Result) string {
	switch {
	case !r.Partial && r.EndedEarly == "":
		return ""
	case r.Unbegun():
		return "the load did not begin: " + r.EndedEarly
	case r.EndedBy == measure.Interrupted || r.EndedEarly == "":
		return "interrupted after " + r.Took.Round(100*time.Millisecond).String() + ": the rest was not measured"
	case r.EndedBy == measure.Aborted:
		return "an abort rule ended it after " + r.Took.Round(100*time.Millisecond).String() + ": " + r.EndedEarly
	}
	return "ended early, after " + r.Took.Round(100*time.Millisecond).String() + ": " + r.EndedEarly
}

// unserved says that nobody was served from some moment to the end, which figures of
// what was served do not show; "" where that was short, or few requests were sent in it.
func unserved(r *measure.Result) string {
	const fewest = 3
	all := r.Series.Slices
	var u measure.Unserved
	for i := len(all) - 1; i >= 0; i-- {
		c := all[i].Counts
		if c.Served > 0 || c.Refused+c.Failed > c.Errors+c.Ours { // refusals that were expected
			break
		}
		if c.Failed+c.Refused > 0 {
			u = measure.Unserved{From: all[i].At, Failed: u.Failed + c.Failed, Refused: u.Refused + c.Refused}
		}
	}
	if r.Unserved != nil { // it knows when in a slice, and of what was due before the silence
		u = *r.Unserved
	}
	long := min(10*time.Second, max(3*time.Second, r.Took/5))
	if u.Failed+u.Refused < fewest || r.Took-u.From < long {
		return ""
	}
	what := fmt.Sprintf("all requests failed (%d or more)", u.Failed)
	switch {
	case u.Failed == 0:
		what = fmt.Sprintf("all requests were refused (%d or more)", u.Refused)
	case u.Refused > 0:
		what = fmt.Sprintf("requests failed (%d or more) or were refused (%d or more)", u.Failed, u.Refused)
	}
	return fmt.Sprintf("nobody was served from %s to the end: %s", u.From.Round(100*time.Millisecond), what)
}

// reconciled are the differences between our count of the requests and the server's.
func reconciled(r *report.Run) []string {
	if r.Reconciliation == nil {
		return nil
	}
	return r.Reconciliation.Findings
}

// few keeps a list of reasons readable.
func few(list []string) []string {
	const most = 5
	if len(list) <= most {
		return list
	}
	return append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", len(list)-most))
}

// sessionEnd is how a session as a whole stands: with scenarios left, and neither
// interrupted nor at an error, it goes on.
type sessionEnd struct {
	left        []string // scenarios that were not run
	interrupted bool
	err         error // what ended it, when it was not the user; its exit code counts
}

// conclude is a session's verdict, its reasons and its exit code: a failure first,
// then what could not be measured. What did not go to its end never passes.
func conclude(runs []report.Run, end sessionEnd) (verdict string, reasons []string, code int, partial bool) {
	unreached := len(runs) > 0
	verdict = report.Pass
	raise := func(to string) {
		if worse(to, verdict) {
			verdict = to
		}
	}
	for _, r := range runs {
		raise(r.Verdict)
		for _, why := range r.Reasons {
			reasons = append(reasons, r.Result.Scenario+": "+why)
		}
		partial = partial || r.Result.Partial
		unreached = unreached && r.Result.Unbegun() && r.Result.EndedBy == measure.TargetDead
	}
	switch {
	case len(end.left) > 0 && end.interrupted:
		reasons = append(reasons, "interrupted: "+strings.Join(end.left, ", ")+" not run")
	case end.err != nil:
		reasons = append(reasons, end.err.Error())
	case len(end.left) > 0:
		reasons = append(reasons, "the session had not ended when this was written: "+strings.Join(end.left, ", ")+" not run")
	}
	if len(end.left) > 0 || end.interrupted || end.err != nil || len(runs) == 0 {
		raise(report.NoData)
		partial = true
	}
	switch verdict {
	case report.Fail:
		code = exit.Fail
	case report.Invalid, report.NoData:
		code = exit.NoAnswer
	}
	if unreached && verdict == report.NoData {
		code = exit.NoSystem
	}
	var coded *exit.Error
	switch {
	case end.interrupted:
		code = exit.Interrupted
	case errors.As(end.err, &coded):
		code = coded.Code
	case end.err != nil:
		code = exit.NoAnswer
	}
	return verdict, reasons, code, partial
}

// worse tells whether a verdict is weightier than another.
func worse(a, b string) bool {
	rank := []string{report.Pass, report.NoData, report.Invalid, report.Fail}
	return slices.Index(rank, a) > slices.Index(rank, b)
}

// maxLag is how late our own requests may be before latencies are no longer the
// server's: a tenth of the strictest latency asked for, and 2 ms at least. Who asks
// for none is not held to milliseconds.
func maxLag(ts []targets.Target, scenario string) time.Duration {
	strictest := time.Duration(0)
	for _, t := range ts {
		if limit := time.Duration(t.Limit); t.Asked(scenario) && latency(t) && strings.HasPrefix(t.Op, "<") && (strictest == 0 || limit < strictest) {
			strictest = limit
		}
	}
	if strictest == 0 {
		return time.Second
	}
	return max(2*time.Millisecond, strictest/10)
}

func latency(t targets.Target) bool {
	return t.Metric == "max" || t.Metric == "mean" || strings.HasPrefix(t.Metric, "p")
}

// noTimes tells that none of the targets asks for a time or a rate.
func noTimes(ts []targets.Target, scenario string) bool {
	return !slices.ContainsFunc(ts, func(t targets.Target) bool { return t.Asked(scenario) && !untimed(t.Metric) })
}
