package baseline

import (
	"math"
	"slices"
)

// Change is what a row says.
type Change string

// The changes. Until the runs of both sides are put to a test, numbers are
// shown and not judged.
const (
	NotJudged    Change = "difference, not judged"
	NoChange     Change = "no_change"         // one and the same session
	NotCompared  Change = "not_comparable"    // one side lacks it
	Insufficient Change = "insufficient_data" // too few requests for the quantile
)

// Row is one figure of both files: the median over the valid runs.
type Row struct {
	Scenario string  `json:"scenario"`
	Endpoint string  `json:"endpoint,omitempty"` // "" = all of the scenario
	Metric   string  `json:"metric"`
	Unit     Unit    `json:"unit"`
	Old      float64 `json:"old"`
	New      float64 `json:"new"`
	OldRuns  int     `json:"old_runs"`
	NewRuns  int     `json:"new_runs"`
	Ratio    bool    `json:"ratio"` // Delta is New/Old-1; otherwise New-Old
	Delta    float64 `json:"delta"` // meaningless unless NotJudged or NoChange
	Change   Change  `json:"change"`
	Note     string  `json:"note,omitempty"`
}

// rows are the figures of one scenario, then the p95 of each of its endpoints.
func rows(old, new *Scenario, same bool) (out []Row) {
	for _, m := range metrics {
		row := Row{Scenario: old.Name, Metric: m.name, Unit: m.unit, Ratio: m.ln}
		if row.fill(medianOf(old, m.of), medianOf(new, m.of), same) {
			out = append(out, row)
		}
	}
	for _, name := range endpoints(old, new) {
		of := func(r *Run) (float64, bool) {
			for _, e := range r.Endpoints {
				if e.Name == name {
					return float64(e.P95), enough(e.Hist.N(), 0.95)
				}
			}
			return 0, false
		}
		row := Row{Scenario: old.Name, Endpoint: name, Metric: "p95", Unit: Micros, Ratio: true}
		switch {
		case !has(old, name):
			row.Change, row.Note = NotCompared, "only the new file has this endpoint"
		case !has(new, name):
			row.Change, row.Note = NotCompared, "only the old file has this endpoint"
		default:
			row.fill(medianOf(old, of), medianOf(new, of), same)
		}
		out = append(out, row)
	}
	return out
}

// median is a figure over the valid runs that have it.
type median struct {
	v    float64
	k    int
	some bool // any run has a value, though perhaps from too few requests
}

func medianOf(s *Scenario, of func(*Run) (float64, bool)) median {
	var m median
	var xs []float64
	for i := range s.Runs {
		v, ok := of(&s.Runs[i])
		if ok && s.Runs[i].Valid {
			xs = append(xs, v)
		}
		m.some = m.some || v != 0
	}
	m.k = len(xs)
	if m.k == 0 {
		return m
	}
	slices.Sort(xs)
	m.v = (xs[(m.k-1)/2] + xs[m.k/2]) / 2
	return m
}

// fill sets the row's figures; false when neither side measured it.
func (r *Row) fill(old, new median, same bool) bool {
	r.Old, r.New, r.OldRuns, r.NewRuns = old.v, new.v, old.k, new.k
	switch {
	case old.k > 0 && new.k > 0:
		r.Change = NotJudged
		r.Delta = new.v - old.v
		if r.Ratio && old.v != 0 {
			r.Delta = new.v/old.v - 1
		} else if r.Ratio {
			r.Ratio = false
		}
		if same && r.Delta == 0 {
			r.Change = NoChange
		}
		if math.IsNaN(r.Delta) || math.IsInf(r.Delta, 0) {
			r.Delta, r.Change = 0, NotCompared
		}
	case old.some && new.some:
		r.Change, r.Note = Insufficient, "too few requests, or no valid run"
	case old.some:
		r.Change, r.Note = NotCompared, "the new file does not have it"
	case new.some:
		r.Change, r.Note = NotCompared, "the old file does not have it"
	default:
		return false
	}
	return true
}

func has(s *Scenario, endpoint string) bool { return slices.Contains(endpoints(s), endpoint) }

// endpoints are the names in all runs, in their order.
func endpoints(scenarios ...*Scenario) (out []string) {
	for _, s := range scenarios {
		for _, r := range s.Runs {
			for _, e := range r.Endpoints {
				if !slices.Contains(out, e.Name) {
					out = append(out, e.Name)
				}
			}
		}
	}
	return out
}
