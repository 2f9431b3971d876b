package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// power is the chance with which an effect is to be found, and powerZ its
// normal quantile.
const power = 0.80

var powerZ = distuv.UnitNormal.Quantile(power)

// maxNeed is where a search for a number of replicates gives up.
const maxNeed = 100_000

// need is what a decision is still short of: the distance to be shown, and the
// one-sided level it is to be shown at.
func (e Estimate) need(r Rule) (gap, alpha float64) {
	if e.Effect >= max(r.Tolerance, r.Smallest) {
		return e.Effect, r.Alpha / 2 // a change is to be shown
	}
	return r.Tolerance - e.Effect, r.Alpha // its absence is
}

// NeedPairs is how many pairs in all would decide with 80 % power, were the
// effect and the spread what they seem to be; 0 when no number would.
func NeedPairs(e Estimate, r Rule) int {
	gap, alpha := e.need(r)
	return leastN(func(k float64) bool {
		return (T(k-1, 1-alpha)+powerZ)*math.Sqrt(e.Variance/k) <= gap
	})
}

// leastN is the smallest n from 2 for which a condition that stays true holds.
func leastN(enough func(n float64) bool) int {
	lo, hi := 1, 2 // lo is not enough
	for !enough(float64(hi)) {
		if lo, hi = hi, 2*hi; hi > maxNeed {
			return 0
		}
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; enough(float64(mid)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// MDE is the smallest effect that k pairs of a given variance show with 80 %
// power at a two-sided level: the non-central t is asked for it. History of
// nu0 degrees of freedom may stand behind the variance.
func MDE(variance float64, k int, nu0, alpha float64) float64 {
	if k < 2 {
		return math.Inf(1)
	}
	nu := float64(k-1) + nu0
	critical := T(nu, 1-alpha/2)
	lo, hi := 0.0, 2*critical+10 // in standard errors
	for range 60 {
		mid := (lo + hi) / 2
		if 1-(distuv.NoncentralT{Nu: nu, Mu: mid}).CDF(critical) < power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi * math.Sqrt(variance/float64(k))
}
