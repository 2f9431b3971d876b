package baseline

import (
	"slices"

	"vitals/internal/baseline/stats"
)

// Change is what a row says: a verdict, or why there is none.
type Change string

// The changes. Verdicts are those of package stats.
const (
	Worse               = Change(stats.Worse)
	Better              = Change(stats.Better)
	NoChange            = Change(stats.NoChange)
	NotWorse            = Change(stats.NotWorse)
	Inconclusive        = Change(stats.Inconclusive)
	NotCompared  Change = "not_comparable"    // one side lacks it
	Insufficient Change = "insufficient_data" // too few requests for the quantile
)

// passes says whether a gate may let a row through.
func (c Change) passes() bool { return stats.Verdict(c).Passes() }

// Row is one figure of both files and what may be said of it. Old and New are
// medians over the valid runs. Delta and Interval are relative changes when
// Ratio is set (0.05 is +5 %), differences otherwise, signed as the figure is:
// a rate that fell has a negative Delta, and may well be worse.
type Row struct {
	Scenario  string          `json:"scenario"`
	Endpoint  string          `json:"endpoint,omitempty"` // "" = all of the scenario
	Metric    string          `json:"metric"`
	Unit      Unit            `json:"unit"`
	Old       float64         `json:"old"`
	New       float64         `json:"new"`
	OldRuns   int             `json:"old_runs"`
	NewRuns   int             `json:"new_runs"`
	Ratio     bool            `json:"ratio"`
	Delta     float64         `json:"delta"` // meaningless without a verdict
	Change    Change          `json:"change"`
	Gating    bool            `json:"gating"`
	Confirm   bool            `json:"confirm,omitempty"` // beyond the tolerance, not beyond the noise: a duet would decide
	Method    Method          `json:"method,omitempty"`
	K         int             `json:"k,omitempty"`        // replicates: pairs, or new sessions
	OldK      int             `json:"old_k,omitempty"`    // old sessions, of Method sessions
	Interval  *stats.Interval `json:"interval,omitempty"` // at the level of the look
	Alpha     float64         `json:"alpha,omitempty"`
	P         float64         `json:"p,omitempty"`
	Q         float64         `json:"q,omitempty"`         // adjusted for all gating rows
	Tolerance float64         `json:"tolerance,omitempty"` // relative, or a difference, as Delta
	NeedN     int             `json:"need_n,omitempty"`    // replicates that would probably decide
	MDE       float64         `json:"mde,omitempty"`       // smallest effect that would probably have been seen, as Delta
	Spread    float64         `json:"spread,omitempty"`    // standard deviation of one replicate
	Prior     *stats.Prior    `json:"prior,omitempty"`     // history that was used
	Rates     *stats.Rates    `json:"rates,omitempty"`     // the gate's own, at this spread
	Note      string          `json:"note,omitempty"`
}

// Method is where a row's noise was learned.
type Method string

// The methods.
const (
	ByPairs    Method = "pairs"         // from interleaved pairs of one session
	BySessions Method = "sessions"      // from earlier sessions
	ByAssuming Method = "assumed noise" // from nothing: sessions are taken to differ by 10 %
)

// median is a figure over the valid runs that have it.
type median struct {
	v    float64
	k    int
	some bool // any run has a value, though perhaps from too few requests
	runs int  // valid ones
}

func medianOf(runs []*Run, of func(*Run) (float64, bool)) median {
	var m median
	var xs []float64
	for _, r := range runs {
		v, ok := of(r)
		if ok && r.Valid {
			xs = append(xs, v)
		}
		m.some = m.some || v != 0
		if r.Valid {
			m.runs++
		}
	}
	m.k, m.v = len(xs), stats.Median(xs)
	return m
}

// set fills what both sides show; false when there is nothing to judge, with
// the reason in Change, or in no row at all when neither side measured it.
func (r *Row) set(old, new median) (judged, shown bool) {
	r.Old, r.New, r.OldRuns, r.NewRuns = old.v, new.v, old.k, new.k
	switch {
	case old.k > 0 && new.k > 0 && r.Ratio && (old.v <= 0 || new.v <= 0):
		if old.v == new.v {
			r.Change = NoChange
			return false, true
		}
		r.Change, r.Note = NotCompared, "one side is 0, so there is no ratio"
	case old.k > 0 && new.k > 0:
		return true, true
	case (old.some || new.some) && old.runs == 0:
		r.Change, r.Note = Insufficient, "no valid run in the old file"
	case (old.some || new.some) && new.runs == 0:
		r.Change, r.Note = Insufficient, "no valid run in the new file"
	case old.some && new.some:
		r.Change, r.Note = Insufficient, "too few requests in a run: a p95 needs 1000, a p99 5000"
	case old.some:
		r.Change, r.Note = NotCompared, "the new file does not have it"
	case new.some:
		r.Change, r.Note = NotCompared, "the old file does not have it"
	default:
		return false, false
	}
	return false, true
}

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

func has(s *Scenario, endpoint string) bool { return slices.Contains(endpoints(s), endpoint) }
