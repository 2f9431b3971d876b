package harness

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// runEnd is what is known of a run's end beside what its members say.
type runEnd struct {
	invalid []string        // what makes the run worthless, in words
	left    []int           // members that left before their share was sent
	rule    *targets.Target // the abort rule that ended it; nil = none did
	note    string          // what the rule saw
}

// merger adds members' documents up, in the order of their indexes, and keeps none.
type merger struct {
	n          int // documents so far
	first      *fleet.Info
	doc        report.Document
	deviations map[string]bool
	sum        measure.Sum
	invariants *report.Invariants
	there      map[int]string // index -> incarnation
	broken     []string       // equations that do not hold
	stopped    []string       // members that were interrupted
	planned    int64
}

// add adds one document. It is an error when it is not of the same run.
func (g *merger) add(d *report.Document) error {
	m := d.Member
	switch {
	case m == nil:
		return errors.New("a document is no member's: it was not made with --member")
	case len(d.Runs) != 1 || d.Runs[0].Result == nil:
		return fmt.Errorf("member %d: %d runs, want 1", m.Index, len(d.Runs))
	}
	if g.n == 0 {
		g.first, g.deviations, g.there = m, map[string]bool{}, map[int]string{}
		g.doc = report.Document{
			Schema: report.Schema, Tool: d.Tool, Created: d.Created, Command: []string{"vitals", "merge"},
			Stack: d.Stack, Machine: d.Machine, Subject: d.Subject, Limits: d.Limits,
		}
	}
	if err := belongs(g.first, m, g.there); err != nil {
		return err
	}
	g.n++
	g.there[m.Index] = m.Incarnation
	if d.Created.Before(g.doc.Created) {
		g.doc.Created = d.Created
	}
	for _, x := range d.Deviations {
		g.deviations[x] = true
	}
	r := d.Runs[0].Result
	g.doc.Members = append(g.doc.Members, seen(d))
	g.invariants = mergeInvariants(g.invariants, d.Runs[0].Invariants)
	if r.Partial && (r.EndedBy == measure.Interrupted || r.EndedEarly == "") {
		g.stopped = append(g.stopped, fmt.Sprintf("member %d was interrupted after %s", m.Index, r.Took.Round(100*time.Millisecond)))
	}
	g.broken = append(g.broken, equations(fmt.Sprintf("member %d", m.Index), r)...)
	g.planned += r.Total(true, false).Counts.Planned
	return g.sum.Add(m.Index, r)
}

// document is the sum, judged.
func (g *merger) document(maxLost int, end runEnd) (*report.Document, error) {
	res, err := g.sum.Result()
	if err != nil {
		return nil, err
	}
	var missing []int
	for i := range g.first.Plan.Members {
		if _, ok := g.there[i]; !ok {
			missing = append(missing, i)
		}
	}
	if len(missing) > maxLost {
		return nil, tooFew(missing, g.first.Plan.Members, maxLost)
	}
	d := g.doc
	d.Deviations = slices.Sorted(maps.Keys(g.deviations))
	outliers(d.Members)
	run := report.Run{Result: res, Invariants: g.invariants}
	res.Health.Invalid = slices.Concat(end.invalid, res.Health.Invalid, g.broken, equations("the merged run", res), whole(g.planned, res))
	if len(g.stopped) > 0 && res.EndedEarly == "" { // by their own clocks: the sum has been going on for as long as the longest
		res.Partial, res.EndedBy, res.EndedEarly = true, measure.OtherEnding, strings.Join(g.stopped, "; ")
	}
	if end.rule != nil {
		res.Partial, res.EndedBy, res.EndedEarly = true, measure.Aborted, end.note
	}
	for i := range res.Series.Slices {
		res.Series.Slices[i].Served = nil // they have done their work
	}
	run.Verdicts = verdicts(g.first.Plan.Targets, &run)
	run.Verdict, run.Reasons = decide(&run, asked{abort: end.rule})
	d.Runs = []report.Run{run}
	d.Verdict, d.Reasons, d.Exit, d.Partial = conclude(d.Runs, sessionEnd{})
	for _, gone := range []struct {
		who []int
		how string
	}{{end.left, "left before their share was sent"}, {missing, "are missing"}} {
		if len(gone.who) == 0 {
			continue
		}
		d.Partial = true
		d.Reasons = append([]string{fmt.Sprintf("members %v of %d %s: what the others measured is no whole run", gone.who, g.first.Plan.Members, gone.how)}, d.Reasons...)
		if d.Verdict == report.Pass {
			d.Verdict, d.Exit = report.Invalid, exit.NoAnswer
			d.Runs[0].Verdict = report.Invalid
		}
	}
	return &d, nil
}

// equations are what must hold of the counts of a member, or of the sum; each that
// does not makes the run invalid and is returned in words.
func equations(who string, r *measure.Result) (broken []string) {
	if c := r.Total(true, false).Counts; c.Planned != c.Sent+c.Dropped+c.Unsent { // an intruder goes by what it is answered, and not by a schedule
		broken = append(broken, fmt.Sprintf("%s: planned %d != sent %d + dropped %d + unsent %d", who, c.Planned, c.Sent, c.Dropped, c.Unsent))
	}
	if c := r.Total(false, false).Counts; c.Sent != c.Served+c.Refused+c.Failed {
		broken = append(broken, fmt.Sprintf("%s: sent %d != served %d + refused %d + failed %d", who, c.Sent, c.Served, c.Refused, c.Failed))
	}
	return broken
}

// whole holds the sum against what its members planned.
func whole(planned int64, sum *measure.Result) (broken []string) {
	var slices int64
	for _, s := range sum.Series.Slices {
		slices += s.Counts.Planned
	}
	if got := sum.Total(true, false).Counts.Planned; got != planned {
		broken = append(broken, fmt.Sprintf("sum of the members' planned %d != merged planned %d", planned, got))
	}
	if slices < planned {
		broken = append(broken, fmt.Sprintf("planned over all slices %d != planned over all phases %d", slices, planned))
	}
	return broken
}

// seen is a member as the merged document shows it.
func seen(d *report.Document) fleet.Seen {
	m, r := d.Member, d.Runs[0].Result
	t := r.Total(true, true)
	p50, _ := t.Response.Quantile(0.50)
	p95, _ := t.Response.Quantile(0.95)
	lag, _ := r.Health.Lag.Quantile(0.99)
	s := fleet.Seen{
		Index: m.Index, Host: m.Host, Planned: t.Counts.Planned, Sent: t.Counts.Sent,
		P50US: p50.Microseconds(), P95US: p95.Microseconds(), LagP99US: lag.Microseconds(), CPU: r.Health.CPU, LateUS: m.LateUS,
	}
	if t.Counts.Sent > 0 {
		s.Errors = float64(t.Counts.Errors) / float64(max(1, t.Counts.Judged()))
	}
	return s
}

// outliers names each member that differs from the others: a merged histogram would
// hide one sick machine or region.
func outliers(ms []fleet.Seen) {
	var p50 []int64
	var errs []float64
	for _, m := range ms {
		p50, errs = append(p50, m.P50US), append(errs, m.Errors)
	}
	for i := range ms {
		ms[i].Differs = fleet.Unlike(i, p50, errs)
	}
}

// mergeInvariants adds up what each member held over its own addresses: no
// address is used by two of them.
func mergeInvariants(sum, h *report.Invariants) *report.Invariants {
	switch {
	case h == nil:
	case sum == nil:
		c := *h
		c.Violations, c.Doubts = slices.Clone(h.Violations), slices.Clone(h.Doubts)
		return &c
	default:
		sum.Answers += h.Answers
		sum.Violations = append(sum.Violations, h.Violations...)
		for _, x := range h.Doubts {
			if !slices.Contains(sum.Doubts, x) {
				sum.Doubts = append(sum.Doubts, x)
			}
		}
	}
	return sum
}
