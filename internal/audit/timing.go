package audit

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// shows fails the probe with what look finds wrong if it finds it twice: what a
// busy machine does to a measurement it seldom does again, and what the target does
// it does each time.
func (t *T) shows(look func() (wrong string)) {
	wrong := look()
	if wrong != "" {
		t.Note("measured again: %s", wrong)
		wrong = look()
	}
	t.Check(wrong == "", "%s", wrong)
}

// alike says whether two series of times can be told apart. One look in a hundred
// says so of series that are alike, so what it says must show again, the same way
// round, in a second measurement.
func (t *T) alike(what, operation string, share sharing, enough int, measure func() (a, b []time.Duration, rest []Answer)) {
	look := func() (apart bool, longer bool, words string) {
		a, b, rest := measure()
		if min(len(a), len(b)) < enough {
			t.Skip("only %d and %d timings came about, want %d of each%s", len(a), len(b), enough, t.untimed(operation, share, rest))
		}
		p, gap := mannWhitney(a, b), medianGap(a, b)
		words = fmt.Sprintf("medians %v and %v, gap %.1f %%, Mann-Whitney p = %.4f, n = %d and %d",
			median(a).Round(10*time.Microsecond), median(b).Round(10*time.Microsecond), 100*gap, p, len(a), len(b))
		t.Note("%s: %s", what, words)
		return p <= 0.01 && gap >= 0.05, median(a) > median(b), words
	}
	apart, longer, words := look()
	if apart {
		t.Note("that looks different, so it is measured again")
		again, longerAgain, more := look()
		apart = again && longer == longerAgain
		words += "; again " + more
	}
	t.Check(!apart, "%s take different times: %s", what, words)
}

// median of a series; 0 for none.
func median(ds []time.Duration) time.Duration { return quantile(ds, 0.5) }

// quantile by the nearest rank; 0 for an empty series.
func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ds))
	return s[min(len(s)-1, max(0, int(math.Ceil(q*float64(len(s))))-1))]
}

// medianGap is how far two medians are apart, relative to the larger.
func medianGap(a, b []time.Duration) float64 {
	x, y := float64(median(a)), float64(median(b))
	if max(x, y) == 0 {
		return 0
	}
	return math.Abs(x-y) / max(x, y)
}

// mannWhitney is the two-sided p-value of the rank-sum test, by the normal
// approximation with a correction for ties: good from about 20 of each on.
func mannWhitney(a, b []time.Duration) float64 {
	type one struct {
		d     time.Duration
		first bool
	}
	all := make([]one, 0, len(a)+len(b))
	for _, d := range a {
		all = append(all, one{d, true})
	}
	for _, d := range b {
		all = append(all, one{d, false})
	}
	slices.SortFunc(all, func(x, y one) int { return int(min(max(x.d-y.d, -1), 1)) })
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		rank := float64(i+j+1) / 2 // the mean of ranks i+1 … j
		for _, x := range all[i:j] {
			if x.first {
				ranks += rank
			}
		}
		n := float64(j - i)
		ties += n*n*n - n
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	total := n + m
	variance := n * m / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 {
		return 1
	}
	z := (math.Abs(u-n*m/2) - 0.5) / math.Sqrt(variance)
	return math.Erfc(max(z, 0) / math.Sqrt2)
}

// binomial is the interval that holds the number of successes of n trials in all
// but one of 50 000 cases, by the exact tails. 99 of 100 would accuse a healthy API
// at every hundredth look; a rate that is not kept is far outside of both.
func binomial(n int, p float64) (lo, hi int) {
	pmf := func(k int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
	}
	tail := 0.0
	for lo = 0; lo < n; lo++ {
		if tail += pmf(lo); tail > 1e-5 {
			break
		}
	}
	tail = 0
	for hi = n; hi > 0; hi-- {
		if tail += pmf(hi); tail > 1e-5 {
			break
		}
	}
	return lo, hi
}
