package stats

import (
	"math"
	"slices"
)

// The bounds of a change point in a nightly series.
const (
	changeWindow = 50 // nights looked at
	weakP        = 0.002
	strongP      = 0.0002
	minSide      = 3 // nights on either side
)

var minStep = math.Log(1.05) // on the log scale

// ChangePoint is where the level of a series changes.
type ChangePoint struct {
	At   int     `json:"at"`   // index of the first value of the new level
	Step float64 `json:"step"` // difference of the medians, new minus old
	P    float64 `json:"p"`

	to int // end of the stretch that the new level was seen in
}

// ChangePoints finds changes of level in the last 50 values: E-divisive
// (Matteson and James 2014) with Student's t in place of permutations, as in
// Apache Otava, but with the unbiased variance, and each point tested against
// the stretch it was found in, so that a change stays after it was reverted.
func ChangePoints(x []float64) []ChangePoint {
	from := max(0, len(x)-changeWindow)
	d := newDistances(x[from:])
	points := d.merge(d.weak(0, len(d.x)))
	for i := range points {
		points[i].At += from
		points[i].to += from
	}
	return points
}

// distances holds sums of |x[i]-x[j]| over rectangles.
type distances struct {
	x   []float64
	sum [][]float64 // sum[i][j] over rows < i and columns < j
}

func newDistances(x []float64) *distances {
	n := len(x)
	d := &distances{x: x, sum: make([][]float64, n+1)}
	d.sum[0] = make([]float64, n+1)
	for i := range n {
		d.sum[i+1] = make([]float64, n+1)
		for j := range n {
			d.sum[i+1][j+1] = math.Abs(x[i]-x[j]) + d.sum[i][j+1] + d.sum[i+1][j] - d.sum[i][j]
		}
	}
	return d
}

func (d *distances) over(i0, i1, j0, j1 int) float64 {
	return d.sum[i1][j1] - d.sum[i0][j1] - d.sum[i1][j0] + d.sum[i0][j0]
}

// within is the mean distance between two different values of [i, j).
func (d *distances) within(i, j int) float64 {
	n := float64(j - i)
	if n < 2 {
		return 0
	}
	return d.over(i, j, i, j) / (n * (n - 1))
}

// divergence of [s, tau) and [tau, kappa): large when distances between them
// exceed those inside.
func (d *distances) divergence(s, tau, kappa int) float64 {
	n, m := float64(tau-s), float64(kappa-tau)
	between := d.over(s, tau, tau, kappa) / (n * m)
	return n * m / (n + m) * (2*between - d.within(s, tau) - d.within(tau, kappa))
}

// weak finds candidates in [s, e), in order.
func (d *distances) weak(s, e int) []ChangePoint {
	best, tau, kappa := math.Inf(-1), 0, 0
	for t := s + 1; t < e; t++ {
		for k := t + 1; k <= e; k++ {
			if q := d.divergence(s, t, k); q > best {
				best, tau, kappa = q, t, k
			}
		}
	}
	if tau == 0 {
		return nil
	}
	p := pooledT(d.x[s:tau], d.x[tau:kappa])
	if p > weakP {
		return nil
	}
	here := []ChangePoint{{At: tau, to: kappa}}
	if math.Abs(Median(d.x[tau:kappa])-Median(d.x[s:tau])) < LogFloor {
		here = nil // of values nearly alike any two that differ stand out, and a real change would be dropped for them
	}
	return slices.Concat(d.weak(s, tau), here, d.weak(tau, e))
}

// merge drops, weakest first, what does not stand between its neighbours.
func (d *distances) merge(points []ChangePoint) []ChangePoint {
	for {
		worst := -1
		for i := range points {
			from, to := 0, len(d.x)
			if i > 0 {
				from = points[i-1].At
			}
			if i+1 < len(points) {
				to = points[i+1].At
			}
			c := &points[i]
			left, right := d.x[from:c.At], d.x[c.At:min(to, c.to)]
			c.P, c.Step = pooledT(left, right), Median(right)-Median(left)
			weak := c.P >= strongP || len(left) < minSide || len(right) < minSide || math.Abs(c.Step) < minStep
			if weak && (worst < 0 || c.P > points[worst].P) {
				worst = i
			}
		}
		if worst < 0 {
			return points
		}
		points = slices.Delete(points, worst, worst+1)
	}
}

// pooledT is the two-sided probability of Student's t test with equal
// variances; 1 when there is nothing to test.
func pooledT(a, b []float64) float64 {
	n, m := float64(len(a)), float64(len(b))
	nu := n + m - 2
	if n < 1 || m < 1 || nu < 1 {
		return 1
	}
	se := math.Sqrt((squares(a) + squares(b)) / nu * (1/n + 1/m))
	return Estimate{Effect: Mean(b) - Mean(a), SE: se, Nu: nu}.P()
}
