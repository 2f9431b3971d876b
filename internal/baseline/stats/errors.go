package stats

import "math"

// Errors are the failed requests of one run.
type Errors struct {
	Failed, N int64
}

// ErrorRate is the estimate of a difference of two error rates, in points of a
// fraction. Requests fail in bursts, so the binomial variance is multiplied by
// the dispersion that the runs show.
type ErrorRate struct {
	Estimate
	Old, New   float64 // pooled rates
	Counting   float64 // standard error that single failures alone would give
	Dispersion float64 // 1 when errors come one by one
	Bound      float64 // 95 % bound on the rate, when neither side failed once; else 0
}

// NewErrorRate compares the runs of both arms.
func NewErrorRate(old, new []Errors) ErrorRate {
	xo, no := pool(old)
	xn, nn := pool(new)
	k := min(len(old), len(new))
	e := ErrorRate{Old: rate(xo, no), New: rate(xn, nn), Dispersion: 1}
	e.K, e.Nu, e.Effect = k, float64(len(old)+len(new)-2), e.New-e.Old
	if no == 0 || nn == 0 {
		e.SE, e.Variance, e.Nu, e.Counting = math.Inf(1), math.Inf(1), 1, math.Inf(1)
		return e
	}
	e.Counting = math.Sqrt(binomial(xo, no) + binomial(xn, nn))
	if xo+xn == 0 {
		e.Bound = 3 / float64(min(no, nn))
	}
	if e.Nu < 1 { // one run a side shows no dispersion
		e.SE, e.Variance, e.Nu = math.Inf(1), math.Inf(1), 1
		return e
	}
	e.Dispersion = max(1, (scatter(old, e.Old)+scatter(new, e.New))/e.Nu)
	e.SE = math.Sqrt(e.Dispersion) * e.Counting
	e.Variance = e.SE * e.SE * float64(k)
	return e
}

// Judge applies the rule to the difference; no failure on either side is no
// change, with a bound in place of an interval.
func (e ErrorRate) Judge(r Rule, rejected bool) Judgement {
	j := Judge(e.Estimate, r, rejected)
	if e.Bound > 0 && !j.TooFewK {
		j.Verdict = NoChange
	}
	return j
}

// NeedRuns is NeedPairs for error rates, whose degrees of freedom come from
// both arms.
func (e ErrorRate) NeedRuns(r Rule) int {
	gap, alpha := e.need(r)
	return leastN(func(k float64) bool {
		return (T(2*k-2, 1-alpha)+powerZ)*math.Sqrt(e.Variance/k) <= gap
	})
}

func pool(runs []Errors) (failed, n int64) {
	for _, r := range runs {
		failed, n = failed+r.Failed, n+r.N
	}
	return failed, n
}

func rate(failed, n int64) float64 { return float64(failed) / float64(max(1, n)) }

// scatter is the sum of (x-m)²/m over the runs of one arm, where m is what the
// pooled rate expects of each.
func scatter(runs []Errors, p float64) (sum float64) {
	for _, r := range runs {
		if m := p * float64(r.N); m > 0 {
			sum += (float64(r.Failed) - m) * (float64(r.Failed) - m) / m
		}
	}
	return sum
}

// binomial is the variance of a rate, kept from 0 by half a failure.
func binomial(failed, n int64) float64 {
	p := (float64(failed) + 0.5) / (float64(n) + 1)
	return p * (1 - p) / float64(n)
}
