package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// ascending are the indices of xs from the smallest value.
func ascending(xs []float64) []int {
	order := make([]int, len(xs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(xs[a], xs[b]) })
	return order
}

// HodgesLehmann is the median of the means of all pairs of values: a location
// that one outlier cannot move far.
func HodgesLehmann(xs []float64) float64 {
	var walsh []float64
	for i := range xs {
		for j := i; j < len(xs); j++ {
			walsh = append(walsh, (xs[i]+xs[j])/2)
		}
	}
	return Median(walsh)
}

// Outliers are the pairs that lie far from the others: flagged, never removed.
func Outliers(d []float64) (far []int) {
	m, bound := Median(d), max(0.25, 5*MAD(d))
	for i, x := range d {
		if x-m > bound || m-x > bound {
			far = append(far, i)
		}
	}
	return far
}

// TheilSen is the median of the slopes between all pairs of points whose times
// differ; 0 of fewer than two.
func TheilSen(t, x []float64) float64 {
	var slopes []float64
	for i := range t {
		for j := i + 1; j < len(t); j++ {
			if t[j] != t[i] {
				slopes = append(slopes, (x[j]-x[i])/(t[j]-t[i]))
			}
		}
	}
	return Median(slopes)
}

// Rising is the probability that values without a trend rise as steadily as
// these (Mann and Kendall, normal approximation with continuity correction); 1 of
// fewer than four.
func Rising(x []float64) float64 {
	n := float64(len(x))
	if n < 4 {
		return 1
	}
	var s float64
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			s += float64(cmp.Compare(x[j], x[i]))
		}
	}
	return distuv.UnitNormal.Survival((s - 1) / math.Sqrt(n*(n-1)*(2*n+5)/18))
}
