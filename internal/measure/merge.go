package measure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Merge adds up the results of the members of one run: machines that each sent
// their share of one plan. Counts and histograms are integers, so the sum is the
// same whatever the order, and equal to what one machine would have measured.
// results[i] is member i's; each was recorded with Options.Mergeable. It is an
// error when they are not shares of one plan.
func Merge(results []*Result) (*Result, error) {
	if len(results) == 0 {
		return nil, fmt.Errorf("merge: no results")
	}
	for i, r := range results {
		if err := alike(results[0], r); err != nil {
			return nil, fmt.Errorf("merge member %d: %w", i, err)
		}
	}
	first := results[0]
	out := &Result{
		Schema: first.Schema, Scenario: first.Scenario, Pace: first.Pace, Model: first.Model,
		Seed: first.Seed, Hash: first.Hash, Began: first.Began, Client: first.Client,
	}
	for i, r := range results {
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
	}
	out.Phases = mergePhases(results)
	var err error
	if out.Series, err = mergeSeries(results); err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	out.Slowest, out.Failures = mergeExemplars(results)
	out.Facts, out.Notes = mergeFacts(results)
	for i, r := range results {
		for _, why := range r.NotShown {
			out.NotShown = append(out.NotShown, fmt.Sprintf("member %d: %s", i, why))
		}
	}
	out.Health = mergeHealth(results)
	return out, nil
}

// alike says what makes b no share of the plan that a is a share of.
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

func mergePhases(results []*Result) []PhaseResult {
	var out []PhaseResult
	for i, p := range results[0].Phases {
		sum := PhaseResult{Phase: p.Phase}
		for j, s := range p.Steps {
			step := StepResult{Step: s.Step}
			for _, r := range results {
				step.Merge(r.Phases[i].Steps[j])
			}
			sum.Steps = append(sum.Steps, step)
		}
		out = append(out, sum)
	}
	return out
}

// mergeExemplars keeps the slowest of all, and the first of each class.
func mergeExemplars(results []*Result) (slowest, failures []Exemplar) {
	keep, perClass := 0, map[string]int{}
	for _, r := range results {
		keep = max(keep, len(r.Slowest))
		slowest = append(slowest, r.Slowest...)
		failures = append(failures, r.Failures...)
		for class, n := range countBy(r.Failures) {
			perClass[class] = max(perClass[class], n)
		}
	}
	same := func(a, b Exemplar) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.RequestID, b.RequestID), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Code, b.Code))
	}
	slices.SortFunc(slowest, func(a, b Exemplar) int { return cmp.Or(cmp.Compare(b.Response, a.Response), same(a, b)) })
	slices.SortFunc(failures, same)
	failures = slices.DeleteFunc(failures, func(e Exemplar) bool {
		perClass[e.Class]--
		return perClass[e.Class] < 0
	})
	return slowest[:keep], failures
}

func countBy(es []Exemplar) map[string]int {
	n := map[string]int{}
	for _, e := range es {
		n[e.Class]++
	}
	return n
}

// worst are the facts of which the largest of all members' stands for the run;
// every other fact with a rule below is a count and adds up.
var worst = []string{"lockout.admitted", "lockout.retry_after", "cpu", "fault.recovery", "intruders.excess"}

// mergeFacts adds counts up and keeps the worst of what is no count. A fact that
// is neither cannot be known from the members' alone: it is left out, and a note
// says so.
func mergeFacts(results []*Result) (facts []Fact, notes []string) {
	byName := map[string][]Fact{}
	seen := map[string]bool{}
	for _, r := range results {
		for _, f := range r.Facts {
			byName[f.Name] = append(byName[f.Name], f)
		}
		for _, n := range r.Notes {
			seen[n] = true
		}
	}
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

// mergeHealth names the member with each reason: a merged figure would hide it.
func mergeHealth(results []*Result) Health {
	var out Health
	for i, r := range results {
		h := r.Health
		out.Lag = merged(out.Lag, h.Lag)
		out.CPU, out.Steal = max(out.CPU, h.CPU), max(out.Steal, h.Steal)
		out.GCPauseMax, out.CapWait = max(out.GCPauseMax, h.GCPauseMax), max(out.CapWait, h.CapWait)
		out.Peak += h.Peak
		for _, why := range h.Invalid {
			out.Invalid = append(out.Invalid, fmt.Sprintf("member %d: %s", i, why))
		}
		for _, why := range h.Late {
			out.Late = append(out.Late, fmt.Sprintf("member %d: %s", i, why))
		}
		for _, why := range h.Away {
			out.Away = append(out.Away, fmt.Sprintf("member %d: %s", i, why))
		}
		for _, why := range h.Suspect {
			out.Suspect = append(out.Suspect, fmt.Sprintf("member %d: %s", i, why))
		}
	}
	return out
}

// mergeSeries adds slices up by their place in time. Members whose slices are
// narrower are folded to the widest; widths double, so one always fits into the
// other.
func mergeSeries(results []*Result) (Series, error) {
	out := Series{}
	for _, r := range results {
		out.Every = max(out.Every, r.Series.Every)
	}
	var sums []*sliceSum
	for i, r := range results {
		if r.Series.Every <= 0 || out.Every%r.Series.Every != 0 {
			return out, fmt.Errorf("slices of member %d are %s wide, and %s do not hold a whole number of them", i, r.Series.Every, out.Every)
		}
		for _, s := range r.Series.Slices {
			at := int(s.At / out.Every)
			for len(sums) <= at {
				sums = append(sums, &sliceSum{served: map[string]*Histogram{}, gauges: map[string][]float64{}})
			}
			if err := sums[at].add(s); err != nil {
				return out, fmt.Errorf("slice at %s of member %d: %w", s.At, i, err)
			}
		}
	}
	for i, s := range sums {
		out.Slices = append(out.Slices, s.slice(time.Duration(i)*out.Every))
	}
	return out, nil
}

// sliceSum is one slice of all members together.
type sliceSum struct {
	counts Counts
	served map[string]*Histogram
	sent   *Histogram // nil when none
	gauges map[string][]float64
}

func (s *sliceSum) add(o Slice) error {
	s.counts.Add(o.Counts)
	var n int64
	for name, text := range o.Served {
		var h Histogram
		if err := h.UnmarshalText([]byte(text)); err != nil {
			return err
		}
		n += h.N()
		if s.served[name] == nil {
			s.served[name] = &h
		} else {
			s.served[name].Merge(&h)
		}
	}
	if o.Service != "" {
		var h Histogram
		if err := h.UnmarshalText([]byte(o.Service)); err != nil {
			return err
		}
		if s.sent == nil {
			s.sent = NewHistogram()
		}
		s.sent.Merge(&h)
	}
	if n != o.Counts.Served {
		return fmt.Errorf("histograms hold %d responses, its counts say served = %d", n, o.Counts.Served)
	}
	for name, v := range o.Gauges {
		s.gauges[name] = append(s.gauges[name], v)
	}
	return nil
}

func (s *sliceSum) slice(at time.Duration) Slice {
	out := Slice{At: at, Counts: s.counts, Served: encodeAll(s.served)}
	whole := NewHistogram()
	for name, h := range s.served {
		whole.Merge(h)
		p95, _ := h.Quantile(0.95)
		if out.StepP95 == nil {
			out.StepP95 = map[string]int64{}
		}
		out.StepP95[name] = p95.Microseconds()
	}
	out.P50, _ = whole.Quantile(0.50)
	out.P95, _ = whole.Quantile(0.95)
	out.P99, _ = whole.Quantile(0.99)
	out.Max, _ = whole.Max()
	if s.sent != nil {
		out.SentP95, _ = s.sent.Quantile(0.95)
		out.Service = encodeAll(map[string]*Histogram{"": s.sent})[""]
	}
	for name, vs := range s.gauges {
		if out.Gauges == nil {
			out.Gauges = map[string]float64{}
		}
		slices.Sort(vs) // floating point sums depend on the order
		var sum float64
		for _, v := range vs {
			sum += v
		}
		out.Gauges[name] = sum / float64(len(vs))
	}
	return out
}

// encodeAll is nil when there is nothing to encode.
func encodeAll(hs map[string]*Histogram) map[string]string {
	if len(hs) == 0 {
		return nil
	}
	out := make(map[string]string, len(hs))
	for name, h := range hs {
		text, err := h.MarshalText()
		if err != nil {
			panic(err) // of a histogram of our own geometry: only memory can fail
		}
		out[name] = string(text)
	}
	return out
}
