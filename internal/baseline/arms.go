package baseline

import (
	"math"
	"slices"
)

// Take adds the runs of another file of the same build to this one's, scenario
// by scenario. The summary is stale until Summarise.
func (f *File) Take(o *File) {
	f.Session.Canary = append(f.Session.Canary, o.Session.Canary...)
	for _, s := range o.Scenarios {
		i := slices.IndexFunc(f.Scenarios, func(mine Scenario) bool { return mine.Name == s.Name })
		if i < 0 {
			f.Scenarios = append(f.Scenarios, s)
			continue
		}
		f.Scenarios[i].Runs = append(f.Scenarios[i].Runs, s.Runs...)
	}
}

// PairRatios are the log ratios of the valid pairs of a duet, signed so that
// positive is worse, of every metric that is compared as a ratio, by "scenario
// metric".
func PairRatios(old, new *File) map[string][]float64 {
	out := map[string][]float64{}
	if old == nil || new == nil {
		return out
	}
	for i := range old.Scenarios {
		k := slices.IndexFunc(new.Scenarios, func(s Scenario) bool { return s.Name == old.Scenarios[i].Name })
		if k < 0 {
			continue
		}
		o, n := pairs(&old.Scenarios[i], &new.Scenarios[k], true)
		for _, m := range metrics {
			if m.ln {
				if d := m.ratios(o, n); len(d) > 0 {
					out[old.Scenarios[i].Name+" "+m.name] = d
				}
			}
		}
	}
	return out
}

// ratios of the pairs that have the metric on both sides.
func (m metric) ratios(old, new []*Run) (d []float64) {
	for i := range old {
		a, okA := m.of(old[i])
		b, okB := m.of(new[i])
		if okA && okB && a > 0 && b > 0 {
			d = append(d, m.sign*math.Log(b/a))
		}
	}
	return d
}

// ToleranceOf is the relative change of a metric that matters, as Options says or
// by default.
func (o Options) ToleranceOf(name string) float64 {
	if t, ok := o.Tolerance[name]; ok {
		return t
	}
	m, _ := metricOf(name)
	return m.tolerance
}

// Gates says whether a metric of a scenario may decide a comparison, whatever
// the load model.
func (o Options) Gates(scenario, name string) bool {
	m, ok := metricOf(name)
	return ok && m.gates != "" && !slices.Contains(o.explain(), scenario)
}

// Machine are the hard fields without those of the system under test.
func (e Env) Machine() map[string]any {
	out := map[string]any{}
	for k, v := range e.Hard {
		if !ofSystem(k) {
			out[k] = v
		}
	}
	return out
}
