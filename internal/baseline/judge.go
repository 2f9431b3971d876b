package baseline

import (
	"fmt"
	"math"
	"slices"

	"vitals/internal/baseline/stats"
)

// figure is one row while it is judged.
type figure struct {
	Row
	metric
	rule     stats.Rule
	estimate *estimate // nil when there is nothing to judge
	history  string    // why the history that was named says nothing of it
}

// estimate is a figure's, by any method, with what only the method knows.
type estimate struct {
	stats.Estimate
	rates *stats.ErrorRate // of error rates in pairs
	need  func(stats.Rule) int
	notes []string
}

// judging is one comparison while it is made.
type judging struct {
	opt    Options
	looks  stats.Looks // of a duet; nil for files
	same   bool        // both sides are one session
	unlike bool        // the machines differ, and that was allowed
	all    []*figure
}

// scenario collects the rows of one scenario, then those of its endpoints.
func (j *judging) scenario(old, new *Scenario) {
	o, n := pairs(old, new, j.looks != nil)
	gates := !slices.Contains(j.opt.explain(), old.Name)
	for _, m := range metrics {
		f := &figure{Row: Row{Scenario: old.Name, Metric: m.name, Unit: m.unit, Ratio: m.ln, Gating: gates && m.gating(new.Model)}, metric: m}
		if !gates {
			f.tolerance = max(f.tolerance, looseTolerance)
		}
		j.add(f, o, n)
	}
	for _, name := range endpoints(old, new) {
		m := endpointMetric(name)
		f := &figure{Row: Row{Scenario: old.Name, Endpoint: name, Metric: m.name, Unit: m.unit, Ratio: m.ln}, metric: m}
		switch {
		case !has(old, name):
			f.Change, f.Note = NotCompared, "only the new file has this endpoint"
		case !has(new, name):
			f.Change, f.Note = NotCompared, "only the old file has this endpoint"
		default:
			j.add(f, o, n)
			continue
		}
		j.all = append(j.all, f)
	}
}

// looseTolerance is that of scenarios that go past the system's capacity, where
// figures vary most.
const looseTolerance = 0.20

// add estimates a figure; one that neither side has makes no row.
func (j *judging) add(f *figure, old, new []*Run) {
	judged, shown := f.set(medianOf(old, f.of), medianOf(new, f.of))
	if !shown {
		return
	}
	j.all = append(j.all, f)
	if !judged {
		return
	}
	if t, ok := j.opt.Tolerance[f.Metric]; ok && f.Endpoint == "" {
		f.tolerance = t
	}
	f.Delta = f.New - f.Old
	if f.Ratio {
		f.Delta = f.New/f.Old - 1
	}
	if j.same && f.Delta == 0 {
		f.Change = NoChange
		return
	}
	f.rule = stats.Rule{Alpha: fileAlpha, Tolerance: f.limit(f.tolerance, f.Old), Old: f.Old, Floor: f.floor, MinK: 1}
	if j.looks != nil {
		f.rule.Alpha, f.rule.MinK = j.looks.Alpha(), 0
		f.rule.Smallest = math.Log1p(j.opt.Smallest[f.Scenario+" "+f.Metric])
		f.estimate = f.paired(old, new, j.opt.Prior)
	} else {
		f.estimate = f.sessions(old, new, j.opt.Past)
	}
}

// fileAlpha is the level of a comparison of files, which looks once.
const fileAlpha = 0.05

// pairs are the runs of both sides that take part: the valid ones, and of a
// duet only those whose partner is valid too, in the order of pairs.
func pairs(old, new *Scenario, duet bool) (o, n []*Run) {
	if !duet {
		for i := range old.Runs {
			o = append(o, &old.Runs[i])
		}
		for i := range new.Runs {
			n = append(n, &new.Runs[i])
		}
		return o, n
	}
	for i := range old.Runs {
		a := &old.Runs[i]
		if !a.Valid {
			continue
		}
		k := slices.IndexFunc(new.Runs, func(b Run) bool { return b.Valid && b.Pair == a.Pair })
		if k >= 0 {
			o, n = append(o, a), append(n, &new.Runs[k])
		}
	}
	return o, n
}

// paired estimates from pairs.
func (f *figure) paired(old, new []*Run, prior func(scenario, metric string) *stats.Prior) *estimate {
	f.Method = ByPairs
	if !f.ln {
		r := stats.NewErrorRate(failures(old), failures(new))
		return &estimate{Estimate: r.Estimate, rates: &r, need: r.NeedRuns}
	}
	d := f.ratios(old, new)
	var p *stats.Prior
	if prior != nil && f.Endpoint == "" {
		p = prior(f.Scenario, f.Metric)
	}
	e := &estimate{Estimate: stats.Paired(d, p)}
	e.need = func(r stats.Rule) int { return stats.NeedPairs(e.Estimate, r) }
	if len(d) >= 3 {
		test := e.Interval(f.rule.Alpha)
		if math.Abs(stats.HodgesLehmann(d)-e.Effect) > (test.High-test.Low)/2 {
			e.notes = append(e.notes, "driven by an outlier: the median of the pairs says otherwise")
		}
		for _, i := range stats.Outliers(d) {
			e.notes = append(e.notes, fmt.Sprintf("pair %d lies far from the others (kept)", old[i].Pair+1))
		}
	}
	return e
}

// failures of the valid runs.
func failures(runs []*Run) (out []stats.Errors) {
	for _, r := range runs {
		if r.Valid {
			failed, n := r.failed()
			out = append(out, stats.Errors{Failed: failed, N: n})
		}
	}
	return out
}

// sessions estimates from session means, with the spread that history shows.
func (f *figure) sessions(old, new []*Run, past func(scenario, metric string) Past) *estimate {
	var h Past
	if past != nil && f.Endpoint == "" {
		h = past(f.Scenario, f.Metric)
	}
	s := stats.NewSessions(f.floorOf(), h.Segments...)
	f.Method = BySessions
	if s.Assumed {
		f.Method = ByAssuming
		f.short(past != nil, s.N)
	}
	before := h.Old
	if len(before) == 0 {
		before = []float64{f.mean(old)}
	}
	if s.Assumed && !f.ln {
		// No share of the rate itself is known; bursts of half of it are common.
		s.Sigma = assumedErrors * (f.Old + f.New) / 2
	}
	if s.Assumed && f.Metric == achievedName {
		s.Sigma = assumedAchieved
	}
	e := &estimate{Estimate: s.Compare(before, []float64{f.mean(new)}, f.sign)}
	if !f.ln {
		// Rare failures differ by chance although the sessions do not.
		single := stats.NewErrorRate(failures(old), failures(new))
		e.SE = math.Hypot(e.SE, single.Counting*math.Sqrt(single.Dispersion))
		if single.Bound > 0 {
			e.rates = &single
		}
	}
	f.OldK = len(before)
	e.need = func(r stats.Rule) int { return s.NeedSessions(e.Estimate, r, len(before)) }
	return e
}

// assumedErrors is by how much of itself an error rate is taken to differ
// between two sessions when no history says.
const assumedErrors = 0.5

// assumedAchieved is the same of the share of arrivals that were sent: a valid run
// sends 98 % at least, and anything from there to all spreads by so much.
var assumedAchieved = (1 - leastAchieved) / math.Sqrt(12)

// mean of the valid runs, as the statistics take it.
func (f *figure) mean(runs []*Run) float64 {
	var xs []float64
	for _, r := range runs {
		if v, ok := f.of(r); ok && r.Valid && (!f.ln || v > 0) {
			xs = append(xs, f.scale(v))
		}
	}
	return stats.Mean(xs)
}
