package stats

import "math"

// Bounds of what history may weigh. Below minNu it is noise itself; above maxNu
// it would drown today's pairs.
const (
	minNu = 5
	maxNu = 20
)

// Prior is the spread of pairs of one build against itself, learned earlier in
// the same environment for the same scenario and metric.
type Prior struct {
	Variance float64 `json:"variance"` // of one pair's log ratio
	Nu       float64 `json:"nu"`       // degrees of freedom, at most 20
}

// NewPrior pools earlier comparisons of a build with itself, each a list of log
// ratios; nil when together they have fewer than 5 degrees of freedom.
func NewPrior(duets ...[]float64) *Prior {
	var sum, nu float64
	for _, d := range duets {
		if len(d) >= 2 {
			sum += squares(d)
			nu += float64(len(d) - 1)
		}
	}
	if nu < minNu {
		return nil
	}
	return &Prior{Variance: max(sum/nu, LogFloor*LogFloor), Nu: math.Min(nu, maxNu)}
}

// guard is the quantile of the variance ratio above which today is noisier than
// history, so that history must not speak for it.
const guard = 0.75

// trusted says whether a variance with nu degrees of freedom may be drawn
// towards the prior (Smyth 2004, guarded). A spread smaller than history is
// drawn up, one much larger stays what it is.
func (p *Prior) trusted(variance, nu float64) bool {
	if p == nil || p.Nu < minNu || nu < 1 {
		return false
	}
	return variance <= fQuantile(nu, p.Nu, guard)*p.Variance
}
