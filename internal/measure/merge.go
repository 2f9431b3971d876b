package measure

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Merge adds up the results of the members of one run: machines that each sent
// their share of one plan. results[i] is member i's. What Sum says holds.
func Merge(results []*Result) (*Result, error) {
	var s Sum
	for i, r := range results {
		if err := s.Add(i, r); err != nil {
			return nil, err
		}
	}
	return s.Result()
}

// Sum adds up the results of the members of one run, one after the other: machines
// that each sent their share of one plan. Counts and histograms are integers, so the
// sum is the same whatever the order, and equal to what one machine would have
// measured. Nothing of a result is kept that the sum does not hold, so that two
// hundred members take the memory of one and of their sum. The zero value is empty.
type Sum struct {
	out               *Result // nil = nothing was added
	slices            seriesSum
	slowest, failures []Exemplar
	keep              int            // of the slowest
	perClass          map[string]int // of the failures
	facts             map[string][]Fact
	notes             map[string]bool
}

// Add adds member i's result, which was recorded with Options.Mergeable. It is an
// error when it is no share of the plan that the earlier ones are shares of; the sum
// is then worthless.
func (s *Sum) Add(i int, r *Result) error {
	if s.out == nil {
		s.out = &Result{
			Schema: r.Schema, Scenario: r.Scenario, Pace: r.Pace, Model: r.Model, Seed: r.Seed, Hash: r.Hash, Began: r.Began, Client: r.Client,
		}
		s.perClass, s.facts, s.notes = map[string]int{}, map[string][]Fact{}, map[string]bool{}
		for _, p := range r.Phases {
			phase := PhaseResult{Phase: p.Phase}
			for _, step := range p.Steps {
				phase.Steps = append(phase.Steps, StepResult{Step: step.Step})
			}
			s.out.Phases = append(s.out.Phases, phase)
		}
	}
	out := s.out
	if err := alike(out, r); err != nil {
		return fmt.Errorf("merge member %d: %w", i, err)
	}
	if err := s.slices.add(r.Series); err != nil {
		return fmt.Errorf("merge member %d: %w", i, err)
	}
	if r.Began.Before(out.Began) {
		out.Began = r.Began
	}
	out.Took, out.Window = max(out.Took, r.Took), max(out.Window, r.Window)
	if !strings.Contains(out.Client, r.Client) {
		out.Client += "; " + r.Client
	}
	out.Partial = out.Partial || r.Partial
	if out.EndedBy == "" {
		out.EndedBy = r.EndedBy
	}
	if out.EndedEarly == "" && r.EndedEarly != "" {
		out.EndedEarly = fmt.Sprintf("member %d: %s", i, r.EndedEarly)
	}
	for p, phase := range r.Phases {
		for j, step := range phase.Steps {
			out.Phases[p].Steps[j].Merge(step)
		}
	}
	s.exemplars(r)
	for _, f := range r.Facts {
		s.facts[f.Name] = append(s.facts[f.Name], f)
	}
	for _, n := range r.Notes {
		s.notes[n] = true
	}
	for _, why := range r.NotShown {
		out.NotShown = append(out.NotShown, fmt.Sprintf("member %d: %s", i, why))
	}
	for _, name := range r.Silent {
		if !slices.Contains(out.Silent, name) {
			out.Silent = append(out.Silent, name)
		}
	}
	for _, what := range r.Granted {
		out.Granted = append(out.Granted, fmt.Sprintf("member %d: %s", i, what))
	}
	out.Health.merge(i, r.Health)
	return nil
}

// Result is the sum of what was added.
func (s *Sum) Result() (*Result, error) {
	if s.out == nil {
		return nil, errors.New("merge: no results")
	}
	out := *s.out
	var err error
	if out.Series, err = s.slices.series(); err != nil {
		return nil, err
	}
	out.Slowest, out.Failures = s.kept()
	out.Facts, out.Notes = mergeFacts(s.facts, s.notes)
	return &out, nil
}

// alike says what makes b no share of the plan that a, the sum, is of.
func alike(a, b *Result) error {
	for _, f := range []struct {
		name string
		a, b any
	}{
		{"document schema", a.Schema, b.Schema}, {"scenario", a.Scenario, b.Scenario}, {"scenario digest", a.Hash, b.Hash},
		{"pace", a.Pace, b.Pace}, {"model", a.Model, b.Model}, {"seed", a.Seed, b.Seed}, {"phases", len(a.Phases), len(b.Phases)},
	} {
		if f.a != f.b {
			return fmt.Errorf("%s is %v, and %v at the first member", f.name, f.b, f.a)
		}
	}
	for i, p := range a.Phases {
		q := b.Phases[i]
		if p.Phase != q.Phase {
			return fmt.Errorf("phase %q is %s to %s, and %s to %s at the first member", q.Name, q.From, q.To, p.From, p.To)
		}
		if !slices.EqualFunc(p.Steps, q.Steps, func(s, t StepResult) bool { return s.Step == t.Step }) {
			return fmt.Errorf("phase %q has other steps than at the first member", p.Name)
		}
	}
	return nil
}

// exemplars takes those of a result.
func (s *Sum) exemplars(r *Result) {
	s.keep = max(s.keep, len(r.Slowest))
	s.slowest = append(s.slowest, r.Slowest...)
	s.failures = append(s.failures, r.Failures...)
	n := map[string]int{}
	for _, e := range r.Failures {
		n[e.Class]++
		s.perClass[e.Class] = max(s.perClass[e.Class], n[e.Class])
	}
}

// kept are the slowest of all, and the first failures of each class.
func (s *Sum) kept() (slowest, failures []Exemplar) {
	same := func(a, b Exemplar) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.RequestID, b.RequestID), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Code, b.Code))
	}
	slices.SortFunc(s.slowest, func(a, b Exemplar) int { return cmp.Or(cmp.Compare(b.Response, a.Response), same(a, b)) })
	slices.SortFunc(s.failures, same)
	left := maps.Clone(s.perClass)
	for _, e := range s.failures {
		if left[e.Class]--; left[e.Class] >= 0 {
			failures = append(failures, e)
		}
	}
	return s.slowest[:s.keep], failures
}

// worst are the facts of which the largest of all members' stands for the run;
// every other fact with a rule below is a count and adds up.
var worst = []string{"lockout.admitted", "lockout.retry_after", "cpu", "fault.recovery", "intruders.excess"}

// mergeFacts adds counts up and keeps the worst of what is no count. A fact that
// is neither cannot be known from the members' alone: it is left out, and a note
// says so.
func mergeFacts(byName map[string][]Fact, seen map[string]bool) (facts []Fact, notes []string) {
	notes = slices.Sorted(maps.Keys(seen))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		fs := byName[name]
		sum := Fact{Name: name, Unit: fs[0].Unit}
		count := fs[0].Unit == "" && (strings.HasPrefix(name, "lockout.") || strings.HasPrefix(name, "intruders.") || strings.HasPrefix(name, "fault."))
		highest := slices.Contains(worst, name)
		if !count && !highest {
			notes = append(notes, fmt.Sprintf("%s cannot be known from the members' own figures and is left out", name))
			continue
		}
		for _, f := range fs {
			sum.N += f.N
			if highest {
				sum.Value = max(sum.Value, f.Value)
			} else {
				sum.Value += f.Value
			}
		}
		sum.Note = fmt.Sprintf("the sum of %d members", len(fs))
		if highest {
			sum.Note = fmt.Sprintf("the worst of %d members", len(fs))
		}
		facts = append(facts, sum)
	}
	return facts, notes
}

// merge names the member with each reason: a merged figure would hide it.
func (h *Health) merge(i int, o Health) {
	h.Lag = merged(h.Lag, o.Lag)
	h.CPU, h.Steal = max(h.CPU, o.CPU), max(h.Steal, o.Steal)
	h.GCPauseMax, h.CapWait = max(h.GCPauseMax, o.GCPauseMax), max(h.CapWait, o.CapWait)
	h.Peak += o.Peak
	for _, list := range []struct {
		of   *[]string
		from []string
	}{{&h.Invalid, o.Invalid}, {&h.Late, o.Late}, {&h.Away, o.Away}, {&h.Suspect, o.Suspect}} {
		for _, why := range list.from {
			*list.of = append(*list.of, fmt.Sprintf("member %d: %s", i, why))
		}
	}
}
