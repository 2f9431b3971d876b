package stats

import "math"

// Estimate is how far the new build is from the old on one metric. Positive is
// worse, whatever the metric; the scale is that of the values it was made of:
// log ratios, or differences.
type Estimate struct {
	K        int     // replicates behind it: pairs, or new sessions
	Effect   float64 // the estimate itself
	SE       float64 // its standard error
	Nu       float64 // degrees of freedom; infinite when the noise was assumed
	Variance float64 // of one replicate
	Prior    *Prior  // history that was used; nil when none was
}

// Interval is the two-sided interval at level 1-alpha.
func (e Estimate) Interval(alpha float64) Interval {
	half := T(e.Nu, 1-alpha/2) * e.SE
	return Interval{e.Effect - half, e.Effect + half}
}

// P is the two-sided probability of such an effect, or a larger one, between
// equal builds.
func (e Estimate) P() float64 {
	if e.SE == 0 {
		if e.Effect == 0 {
			return 1
		}
		return 0
	}
	return tTail(e.Nu, e.Effect/e.SE)
}

// LogFloor is the least standard deviation that log ratios are believed to have:
// histogram bins and timers alone are not finer, and equal values must not make
// an interval of no width.
const LogFloor = 0.01

// Paired is the estimate from interleaved pairs: d are the log ratios new/old,
// signed so that positive is worse. History of the same environment, scenario
// and metric strengthens it where the pairs at hand are not noisier than that
// (see Prior). Fewer than two pairs have no interval.
func Paired(d []float64, prior *Prior) Estimate {
	k := float64(len(d))
	e := Estimate{K: len(d), Effect: Mean(d), Variance: math.Inf(1), SE: math.Inf(1), Nu: 1}
	if len(d) < 2 {
		return e
	}
	s2 := max(Variance(d), LogFloor*LogFloor)
	e.Variance, e.Nu = s2, k-1
	if prior.trusted(s2, e.Nu) {
		e.Prior = prior
		e.Variance = (prior.Nu*prior.Variance + e.Nu*s2) / (prior.Nu + e.Nu)
		e.Nu += prior.Nu
	}
	e.SE = math.Sqrt(e.Variance / k)
	return e
}
