package baseline

import (
	"slices"

	"vitals/internal/baseline/stats"
)

// Mean is one metric of a scenario over its valid runs, as a history keeps it.
type Mean struct {
	Scenario string
	Named    string // how a command names it; "" = not known
	Load     string // hash of the scenario and its load model
	Metric   string
	Mean, Sd float64 // on the log scale when Logarithmic says so
	K        int
}

// Means of every metric that a valid run has, in the order of reports.
func (f *File) Means() (out []Mean) {
	for i := range f.Scenarios {
		sc := &f.Scenarios[i]
		for _, m := range metrics {
			var xs []float64
			for k := range sc.Runs {
				if v, ok := m.of(&sc.Runs[k]); ok && sc.Runs[k].Valid && (!m.ln || v > 0) {
					xs = append(xs, m.scale(v))
				}
			}
			if len(xs) > 0 {
				s := summary(xs)
				out = append(out, Mean{Scenario: sc.Name, Named: sc.Named, Load: sc.load(), Metric: m.name, Mean: s.MeanLn, Sd: s.SdLn, K: s.K})
			}
		}
	}
	return out
}

// load names what the scenario sends, in 12 digits.
func (s *Scenario) load() string { return digest([]string{s.Config, s.LoadModel})[:12] }

// Load is the hash of a scenario and its load model, as Means has it; "" of a
// scenario that the file does not hold.
func (f *File) Load(scenario string) string {
	i := slices.IndexFunc(f.Scenarios, func(s Scenario) bool { return s.Name == scenario })
	if i < 0 {
		return ""
	}
	return f.Scenarios[i].load()
}

func metricOf(name string) (metric, bool) {
	i := slices.IndexFunc(metrics, func(m metric) bool { return m.name == name })
	if i < 0 {
		return metric{}, false
	}
	return metrics[i], true
}

// Sign is +1 where a larger value of the metric is worse, -1 where it is better.
func Sign(name string) float64 {
	if m, ok := metricOf(name); ok {
		return m.sign
	}
	return +1
}

// Logarithmic says whether a metric is compared as a ratio.
func Logarithmic(name string) bool {
	m, ok := metricOf(name)
	return ok && m.ln
}

// summary is mean and standard deviation of the values.
func summary(xs []float64) Summary {
	return Summary{K: len(xs), MeanLn: stats.Mean(xs), SdLn: stats.SD(xs)}
}
