package stats

import "math"

// Verdict is what may be said of one metric.
type Verdict string

// The verdicts. The zero value says nothing.
const (
	Inconclusive Verdict = "inconclusive" // neither a change nor its absence is shown
	Worse        Verdict = "worse"        // a change is shown, and it is at least the tolerance
	Better       Verdict = "better"       // the same on the other side
	NoChange     Verdict = "no_change"    // shown to be inside the tolerance, both ways
	NotWorse     Verdict = "not_worse"    // shown to be no worse than the tolerance; perhaps better
)

// Passes says whether a gate may let it through.
func (v Verdict) Passes() bool { return v == Better || v == NoChange || v == NotWorse }

// minPairs is the least number of replicates that a verdict rests on.
const minPairs = 3

// Rule is what an estimate is judged by, fixed before it is made.
type Rule struct {
	Alpha     float64 // level of one look
	Tolerance float64 // smallest effect that matters, on the estimate's scale
	Smallest  float64 // smallest effect that may be called worse here; 0 = Tolerance
	MinK      int     // fewer replicates are inconclusive; 0 = 3

	// Old and Floor are a typical old value and the smallest difference from it
	// that matters, in one unit; for log ratios only. Floor 0 is none.
	Old, Floor float64
}

// Judgement is a verdict and what it rests on.
type Judgement struct {
	Verdict  Verdict
	Test     Interval // two-sided at the rule's level: what worse and better rest on
	Equal    Interval // at twice the level: inside the tolerance it proves equality (TOST)
	P        float64
	Beyond   bool // worse, and the whole interval lies beyond the tolerance
	Floor    bool // no change, because any change is below the absolute floor
	Slower   bool // no change, though a change on the worse side is shown
	NeedN    int  // replicates that would probably decide; 0 when decided or never
	TooFewK  bool
	Rejected bool // equality was rejected, all metrics of the gate considered
}

// Judge applies the rule. Rejected says whether equality is rejected when all
// metrics of a gate are considered together (see BH); of a single metric that
// is P ≤ Alpha.
func Judge(e Estimate, r Rule, rejected bool) Judgement {
	j := Judgement{Verdict: Inconclusive, P: e.P(), Rejected: rejected}
	minK := r.MinK
	if minK == 0 {
		minK = minPairs
	}
	if e.K < minK {
		j.TooFewK, j.Rejected = true, false
		return j
	}
	j.Test, j.Equal = e.Interval(r.Alpha), e.Interval(2*r.Alpha)
	smallest := max(r.Smallest, r.Tolerance)
	switch pct := j.Test.Percent(); {
	case r.Floor > 0 && max(math.Abs(pct.Low), math.Abs(pct.High))*r.Old < r.Floor:
		j.Verdict, j.Floor = NoChange, true
	case rejected && j.Test.Low > 0 && e.Effect >= smallest:
		j.Verdict, j.Beyond = Worse, j.Test.Low > r.Tolerance
	case rejected && j.Test.High < 0 && e.Effect <= -smallest:
		j.Verdict = Better
	case j.Equal.Low > -r.Tolerance && j.Equal.High < r.Tolerance:
		j.Verdict, j.Slower = NoChange, j.Test.Low > 0
	case j.Equal.High < r.Tolerance:
		j.Verdict = NotWorse
	}
	return j
}

// BH are the rejections of Benjamini and Hochberg (1995) at rate q, and the
// adjusted probabilities: p[i] is rejected when adjusted[i] ≤ q.
func BH(p []float64, q float64) (rejected []bool, adjusted []float64) {
	order := ascending(p)
	rejected, adjusted = make([]bool, len(p)), make([]float64, len(p))
	least := 1.0
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(len(p))/float64(rank))
		adjusted[i], rejected[i] = least, least <= q
	}
	return rejected, adjusted
}
