package harness

import (
	"fmt"
	"strings"

	"vitals/internal/faults"
	"vitals/internal/measure"
	"vitals/targets"
)

// untimed are the metrics that no lateness of the generator can worsen.
func untimed(metric string) bool {
	return metric == "errors" || metric == "failed" || metric == "refused" || control(metric)
}

// control are the metrics of what an attacker was granted, or took from others.
func control(metric string) bool {
	return strings.HasPrefix(metric, "lockout.") || strings.HasPrefix(metric, "intruders.") || metric == faults.LeakedFact
}

// lock are those of them that tell how a promised lock held.
func lock(metric string) bool {
	return strings.HasPrefix(metric, "lockout.") || metric == "intruders.excess" || metric == "intruders.harmed"
}

// plainly says in plain words what it means that a control's target was missed.
var plainly = map[string]string{
	"intruders.leaked":   "attackers were let in, or served what was to be refused",
	"intruders.excess":   "more wrong credentials were judged than the limit allows",
	"intruders.wrong":    "attackers got an answer that is neither a refusal nor a judgement",
	"intruders.open":     "hostile connections were not cut",
	"intruders.harmed":   "people under attack were refused although they had the right password",
	"lockout.admitted":   "the lockout does not begin where it should",
	"lockout.leaked":     "somebody was let in, or judged, while locked",
	"lockout.bystanders": "a lock of another address turned honest users away",
	faults.LeakedFact:    "the lockout gave way around a fault",
}

// said is a control's miss in plain words, with its figure.
func said(v targets.Verdict) string {
	words := plainly[v.Target.Metric]
	if words == "" {
		return v.String()
	}
	if explained := v.Target.Metric == "intruders.leaked" || v.Target.Metric == "intruders.wrong"; explained && v.Note != "" {
		words += ": " + v.Note
	}
	return fmt.Sprintf("%s (%s was %s, want %s %s)", words, v.Target.Metric, v.Target.Unit().Format(v.Got), v.Target.Op, v.Target.Unit().Format(v.Target.Limit))
}

// shownNot are the reasons why a control's figure is absent, and with no metric those
// that are about no one figure.
func shownNot(r *measure.Result, metric string) (why []string) {
	for _, line := range r.NotShown {
		name, words, ok := strings.Cut(line, ": ")
		switch of := ok && control(name); {
		case of && name == metric:
			why = append(why, words)
		case !of && metric == "":
			why = append(why, line)
		}
	}
	return why
}
