package harness

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"vitals/internal/baseline"
	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/targets"
)

// MergeDirs reads the members' documents from the folders and merges them, in any
// order, into OUT/document.json, OUT/report.html and, when the run counts,
// OUT/baseline.json.
func MergeDirs(dirs []string, out string, maxLost int) (*report.Document, error) {
	var docs []*report.Document
	var errs []error
	for _, dir := range dirs {
		d, err := report.Read(filepath.Join(dir, "document.json"))
		if err != nil {
			errs = append(errs, err)
		}
		docs = append(docs, d)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	d, err := Merge(docs, maxLost)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return d, WriteMerged(out, d)
}

// WriteMerged leaves a merged document and its page in the folder, and its baseline
// when nothing of the run is missing.
func WriteMerged(out string, d *report.Document) error {
	release, err := stack.Output(out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }()
	return writeMerged(out, d)
}

func writeMerged(out string, d *report.Document) error {
	err := report.WriteAll(out, d)
	if err == nil && !d.Partial {
		err = baseline.Write(filepath.Join(out, "baseline.json"), Baseline(d))
	}
	if err != nil {
		return exit.With(exit.NoAnswer, err)
	}
	return nil
}

// Merge makes the one document of a run from its members', and judges it by the
// targets of their common plan. Documents that are not the shares of one run are
// an error that says what does not fit. Up to maxLost members may be missing: the
// run is then partial, which can fail but never pass.
func Merge(docs []*report.Document, maxLost int) (*report.Document, error) {
	return merge(docs, maxLost, runEnd{})
}

// runEnd is what is known of a run's end beside what its members say.
type runEnd struct {
	invalid []string        // what makes the run worthless, in words
	rule    *targets.Target // the abort rule that ended it; nil = none did
	note    string          // what the rule saw
}

func merge(docs []*report.Document, maxLost int, end runEnd) (*report.Document, error) {
	docs, missing, err := sortMembers(docs, maxLost)
	if err != nil {
		return nil, err
	}
	first := docs[0]
	d := &report.Document{
		Schema: report.Schema, Tool: first.Tool, Created: first.Created, Command: []string{"vitals", "merge"},
		Stack: first.Stack, Machine: first.Machine, Subject: first.Subject, Limits: first.Limits,
	}
	var results []*measure.Result
	deviations := map[string]bool{}
	for _, m := range docs {
		if m.Created.Before(d.Created) {
			d.Created = m.Created
		}
		for _, x := range m.Deviations {
			deviations[x] = true
		}
		results = append(results, m.Runs[0].Result)
		d.Members = append(d.Members, seen(m))
	}
	d.Deviations = slices.Sorted(maps.Keys(deviations))
	outliers(d.Members)
	res, err := measure.Merge(results)
	if err != nil {
		return nil, err
	}
	run := report.Run{Result: res, Invariants: mergeInvariants(docs)}
	res.Health.Invalid = slices.Concat(end.invalid, res.Health.Invalid, equations(results, res))
	if end.rule != nil {
		res.Partial, res.EndedBy, res.EndedEarly = true, measure.Aborted, end.note
	}
	for i := range res.Series.Slices {
		res.Series.Slices[i].Served = nil // they have done their work
	}
	run.Verdicts = verdicts(first.Member.Plan.Targets, res)
	run.Verdict, run.Reasons = decide(&run, asked{abort: end.rule})
	d.Runs = []report.Run{run}
	d.Verdict, d.Reasons, d.Exit, d.Partial = conclude(d.Runs, sessionEnd{})
	if len(missing) > 0 {
		d.Partial = true
		d.Reasons = append([]string{fmt.Sprintf("members %v of %d are missing: what the others measured is no whole run", missing, first.Member.Plan.Members)}, d.Reasons...)
		if d.Verdict == report.Pass {
			d.Verdict, d.Exit = report.Invalid, exit.NoAnswer
		}
	}
	return d, nil
}

// sortMembers puts the documents into the order of their indexes and says all
// that keeps them from being one run.
func sortMembers(docs []*report.Document, maxLost int) (sorted []*report.Document, missing []int, err error) {
	if len(docs) == 0 {
		return nil, nil, errors.New("merge: no members")
	}
	var errs []error
	byIndex := map[int]*report.Document{}
	for n, d := range docs {
		m := d.Member
		switch {
		case m == nil:
			errs = append(errs, fmt.Errorf("document %d is no member's: it was not made with --member", n+1))
			continue
		case m.ID != m.Plan.ID():
			errs = append(errs, fmt.Errorf("member %d: its plan was changed after the run (digest %.12s, its text gives %.12s)", m.Index, m.ID, m.Plan.ID()))
		case len(d.Runs) != 1 || d.Runs[0].Result == nil:
			errs = append(errs, fmt.Errorf("member %d: %d runs, want 1", m.Index, len(d.Runs)))
		case docs[0].Member != nil && m.ID != docs[0].Member.ID:
			errs = append(errs, fmt.Errorf("member %d has another plan (%.12s) than the first document (%.12s): %s", m.Index, m.ID, docs[0].Member.ID, planDiff(docs[0].Member.Plan, m.Plan)))
		case byIndex[m.Index] != nil && byIndex[m.Index].Member.Incarnation == m.Incarnation:
			errs = append(errs, fmt.Errorf("member %d is there twice", m.Index))
		case byIndex[m.Index] != nil:
			errs = append(errs, fmt.Errorf("member %d ran twice (%.8s and %.8s): its share was sent twice", m.Index, byIndex[m.Index].Member.Incarnation, m.Incarnation))
		}
		byIndex[m.Index] = d
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	for i := range docs[0].Member.Plan.Members {
		if d := byIndex[i]; d != nil {
			sorted = append(sorted, d)
		} else {
			missing = append(missing, i)
		}
	}
	if len(missing) > maxLost {
		return nil, nil, fmt.Errorf("members %v of %d are missing: sum of shares != the plan (--max-lost %d)", missing, docs[0].Member.Plan.Members, maxLost)
	}
	return sorted, missing, nil
}

// planDiff names what differs.
func planDiff(a, b fleet.Plan) string {
	for _, f := range []struct{ name, a, b string }{
		{"version", a.Version, b.Version}, {"histograms", a.Geometry, b.Geometry}, {"pace", a.Pace, b.Pace}, {"url", a.URL, b.URL},
		{"profile", a.Profile, b.Profile}, {"seed", fmt.Sprint(a.Seed), fmt.Sprint(b.Seed)}, {"members", fmt.Sprint(a.Members), fmt.Sprint(b.Members)},
		{"scenario", fmt.Sprint(a.Scenarios), fmt.Sprint(b.Scenarios)},
	} {
		if f.a != f.b {
			return fmt.Sprintf("%s is %s, not %s", f.name, f.b, f.a)
		}
	}
	return "targets differ"
}

// equations hold the shares against their sum; each that does not hold makes the
// run invalid and is returned in words.
func equations(members []*measure.Result, sum *measure.Result) (broken []string) {
	for i, r := range append(members, sum) {
		who := fmt.Sprintf("member %d", i)
		if i == len(members) {
			who = "the merged run"
		}
		c := r.Total(false, false).Counts
		if c.Planned != c.Sent+c.Dropped+c.Unsent {
			broken = append(broken, fmt.Sprintf("%s: planned %d != sent %d + dropped %d + unsent %d", who, c.Planned, c.Sent, c.Dropped, c.Unsent))
		}
		if c.Sent != c.Served+c.Refused+c.Failed {
			broken = append(broken, fmt.Sprintf("%s: sent %d != served %d + refused %d + failed %d", who, c.Sent, c.Served, c.Refused, c.Failed))
		}
	}
	var planned, slices int64
	for _, r := range members {
		planned += r.Total(true, false).Counts.Planned
	}
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
func mergeInvariants(docs []*report.Document) *report.Invariants {
	var sum *report.Invariants
	for _, d := range docs {
		h := d.Runs[0].Invariants
		switch {
		case h == nil:
		case sum == nil:
			c := *h
			c.Violations, c.Doubts = slices.Clone(h.Violations), slices.Clone(h.Doubts)
			sum = &c
		default:
			sum.Answers += h.Answers
			sum.Violations = append(sum.Violations, h.Violations...)
			for _, x := range h.Doubts {
				if !slices.Contains(sum.Doubts, x) {
					sum.Doubts = append(sum.Doubts, x)
				}
			}
		}
	}
	return sum
}
