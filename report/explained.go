package report

import (
	"fmt"
	"slices"
	"strings"

	"vitals/internal/baseline"
	"vitals/internal/measure"
	"vitals/targets"
)

// explained is what held beside the targets, and the few things that explain the
// figures.
func (p *page) explained(d *Document) {
	held, unmade := checked(d)
	why := explanations(d)
	unusable := unusable(d)
	if len(held)+len(unmade)+len(why)+len(unusable) > 0 {
		p.line("")
	}
	if len(held) > 0 {
		lines := p.wrapped("    ", strings.Join(held, "; "))
		p.line("  %s%s", p.paint(green, marks[targets.Pass].glyph), lines[0][3:])
		for _, l := range lines[1:] {
			p.line("%s", l)
		}
	}
	for _, w := range unmade {
		for i, l := range p.brief("    ", w, 2) {
			if i == 0 {
				l = "  " + p.paint(yellow, marks[targets.NoData].glyph) + l[3:]
			}
			p.line("%s", l)
		}
	}
	for i, w := range why {
		if i == mostExplained {
			break
		}
		for _, l := range p.brief("  · ", w, 2) {
			p.line("%s", l)
		}
	}
	for _, w := range unusable {
		for _, l := range p.brief("  · ", w, 2) {
			p.line("%s", l)
		}
	}
}

// unusable says that runs which were judged cannot be compared with later, and why, in
// one entry. Of those that are invalid or were cut short that is told already.
func unusable(d *Document) []string {
	var results []*measure.Result
	for _, r := range d.Runs {
		if r.Verdict != Invalid && !r.Result.Partial {
			results = append(results, r.Result)
		}
	}
	if why := baseline.Unusable(results); len(why) > 0 && d.Member == nil {
		return []string{"cannot be a baseline (vitals compare): " + strings.Join(why, "; ")}
	}
	if d.Member == nil {
		return baseline.SomeUnusable(results)
	}
	return nil
}

// checked are the checks that held, over all runs, and those that were not made.
// One that failed is among the reasons.
func checked(d *Document) (held, unmade []string) {
	var answers, requests int64
	var invariants, counts bool
	routes := 0
	for i := range d.Runs {
		r := &d.Runs[i]
		for _, c := range checks(r) {
			if c.status == targets.NoData && !slices.Contains(unmade, c.words) {
				unmade = append(unmade, c.words)
			}
		}
		if h := r.Invariants; h != nil && invariantsCheck(h).status == targets.Pass {
			answers, invariants = answers+h.Answers, true
		}
		if b := r.Reconciliation; b != nil && reconciliationCheck(b).status == targets.Pass {
			requests, routes, counts = requests+b.Requests, max(routes, b.Routes), true
		}
	}
	if invariants {
		held = append(held, invariantsCheck(&Invariants{Answers: answers}).words)
	}
	if counts {
		held = append(held, "request counts: client and server agree on "+plural64(requests, "request")+", "+plural(routes, "route"))
	}
	return held, unmade
}

// explanations are what a reader of the figures must know first, the most telling
// first.
func explanations(d *Document) (out []string) {
	for _, r := range d.Runs {
		for _, t := range r.Earlier {
			out = append(out, r.Result.Scenario+": tried again, the try before was "+t.Verdict+": "+strings.Join(t.Reasons, "; "))
		}
	}
	if len(d.Deviations) > 0 {
		out = append(out, "not the production limits: "+strings.Join(d.Deviations, "; "))
	}
	for i := range d.Runs {
		if r := &d.Runs[i]; r.Verdict != Pass { // of a run that met its targets nobody asks why
			for _, w := range causes(r) {
				out = append(out, r.Result.Scenario+": "+w)
			}
			if w := hottest(r.Result.CPUProfile); w != "" {
				out = append(out, r.Result.Scenario+": "+w)
			}
		}
	}
	for i := range d.Runs {
		if w := commonest(&d.Runs[i]); w != "" {
			out = append(out, d.Runs[i].Result.Scenario+": "+w)
		}
	}
	for i := range d.Runs {
		for _, w := range unasked(&d.Runs[i]) {
			out = append(out, d.Runs[i].Result.Scenario+": "+w)
		}
	}
	for i := range d.Runs {
		if names := unsent(d.Runs[i].Result); len(names) > 0 {
			out = append(out, fmt.Sprintf("%s: never sent, so that nothing is known of it: %s", d.Runs[i].Result.Scenario, strings.Join(names, ", ")))
		}
	}
	for _, r := range d.Runs {
		for _, s := range r.Result.Health.Suspect {
			out = append(out, r.Result.Scenario+": suspect: "+s)
		}
	}
	return out
}

// unasked are the gains of intruders that no target asks about, and that fail nothing.
func unasked(r *Run) (words []string) {
	for _, name := range []string{"intruders.leaked", "intruders.wrong"} {
		if fact, ok := r.Result.Fact(name); ok && fact.Value > 0 && !asks(r, name) && len(r.Result.Granted) == 0 {
			words = append(words, strings.TrimSuffix(fmt.Sprintf("%s was %g, and no target asks for it: %s", name, fact.Value, fact.Note), ": "))
		}
	}
	return words
}

// asks tells whether a target of the run asks for a metric.
func asks(r *Run, metric string) bool {
	return slices.ContainsFunc(r.Verdicts, func(v targets.Verdict) bool { return v.Target.Metric == metric })
}

// unsent are the steps that no user came to in a run that went to its end, as those that
// take what no answer gave.
func unsent(r *measure.Result) (names []string) {
	for _, s := range r.Steps(false) {
		if !r.Partial && !s.Step.Intruder && s.Step.Journey != measure.Session && s.Counts.Planned+s.Counts.Sent == 0 {
			names = append(names, fmt.Sprintf("%q", s.Step.Name))
		}
	}
	return names
}

// commonest is the commonest way in which honest requests failed, with the first
// of its kind; "" when all went as expected.
func commonest(r *Run) string {
	total := r.Result.Total(true, true)
	class := ""
	for _, name := range sortedKeys(total.Classes) {
		if class == "" || total.Classes[name] > total.Classes[class] {
			class = name
		}
	}
	if class == "" {
		return ""
	}
	n := total.Classes[class]
	words := fmt.Sprintf("%s not as expected (%s)", plural64(n, "request"), class)
	for _, e := range r.Result.Failures {
		if e.Class == class {
			return words + ", the first: " + came(e)
		}
	}
	return words
}
