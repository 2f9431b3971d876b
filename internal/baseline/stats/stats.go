// Package stats is the statistics of comparing two builds: how far apart they
// are, how sure that is, and what may be said of it. It knows numbers only; the
// replicate of every function is the run, never a request inside one.
//
// Distribution functions are gonum's, rank tests those of go-moremath.
package stats

import (
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a range of plausible values, on the scale of its estimate.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Percent turns an interval of log ratios into relative changes: 0.05 is +5 %.
func (i Interval) Percent() Interval { return Interval{math.Expm1(i.Low), math.Expm1(i.High)} }

// Mirror is the interval of the negated value.
func (i Interval) Mirror() Interval { return Interval{-i.High, -i.Low} }

// T is the quantile p of Student's t with nu degrees of freedom, of the normal
// distribution when nu is infinite.
func T(nu, p float64) float64 {
	if math.IsInf(nu, 1) {
		return distuv.UnitNormal.Quantile(p)
	}
	return known(key{nu: nu, p: p}, func() float64 { return distuv.StudentsT{Sigma: 1, Nu: nu}.Quantile(p) })
}

// fQuantile is the quantile p of the F distribution.
func fQuantile(d1, d2, p float64) float64 {
	return known(key{d1, d2, p}, func() float64 { return distuv.F{D1: d1, D2: d2}.Quantile(p) })
}

// A simulated gate asks for the same few quantiles thousands of times, and each
// is an iteration; they are pure, so they are computed once.
var quantiles sync.Map

type key struct{ nu, d2, p float64 }

func known(k key, compute func() float64) float64 {
	if v, ok := quantiles.Load(k); ok {
		return v.(float64)
	}
	v := compute()
	quantiles.Store(k, v)
	return v
}

// tTail is the two-sided probability of a value at least as far out as t.
func tTail(nu, t float64) float64 {
	if math.IsInf(nu, 1) {
		return 2 * distuv.UnitNormal.Survival(math.Abs(t))
	}
	return 2 * distuv.StudentsT{Sigma: 1, Nu: nu}.Survival(math.Abs(t))
}

// Mean of xs; 0 of none.
func Mean(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// squares is the sum of squared distances from the mean.
func squares(xs []float64) float64 {
	m := Mean(xs)
	var sum float64
	for _, x := range xs {
		sum += (x - m) * (x - m)
	}
	return sum
}

// Variance of a sample (divided by n-1); 0 of fewer than two.
func Variance(xs []float64) float64 {
	if len(xs) < 2 {
		return 0
	}
	return squares(xs) / float64(len(xs)-1)
}

// SD is the standard deviation of a sample; 0 of fewer than two.
func SD(xs []float64) float64 { return math.Sqrt(Variance(xs)) }

// Median of xs; 0 of none. xs is left as it is.
func Median(xs []float64) float64 {
	n := len(xs)
	if n == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	return (xs[(n-1)/2] + xs[n/2]) / 2
}

// normalMAD makes the median absolute deviation of normal noise its standard
// deviation.
const normalMAD = 1.4826

// MAD is the median absolute deviation from the median, scaled to the standard
// deviation of normal noise.
func MAD(xs []float64) float64 {
	m := Median(xs)
	away := make([]float64, len(xs))
	for i, x := range xs {
		away[i] = math.Abs(x - m)
	}
	return normalMAD * Median(away)
}
