package baseline

import (
	"fmt"
	"math"

	"vitals/internal/baseline/stats"
)

// margins says what the figures of a row seem to contradict: a step down that is a
// percentage smaller than the tolerance, and an interval wider than it.
func (f *figure) margins(v stats.Judgement) (notes []string) {
	tol := f.rule.Tolerance
	// +5 % and -4.76 % undo each other, so they are one tolerance.
	if f.ln && math.Abs(f.estimate.Effect) >= tol && math.Abs(f.Delta) < f.Tolerance {
		notes = append(notes, fmt.Sprintf("the tolerance is a factor, %.4g either way: down it is %s %%", 1+f.Tolerance, f.signed(1/(1+f.Tolerance)-1)))
	}
	within := func(i stats.Interval) bool { return i.High < tol && (v.Verdict == stats.NotWorse || i.Low > -tol) }
	passes := v.Verdict == stats.NotWorse || v.Verdict == stats.NoChange && !v.Floor
	if passes && within(v.Equal) && !within(v.Test) {
		i := f.naturalInterval(v.Equal)
		notes = append(notes, fmt.Sprintf("what passes is held to the tolerance by one-sided tests, whose interval is [%s, %s]", f.signed(i.Low), f.signed(i.High)))
	}
	return notes
}

// unfailed words the bound on a rate of which no failure was seen; one beyond the
// tolerance is the fewness of the requests.
func (f *figure) unfailed(bound float64) string {
	words := fmt.Sprintf("no failure on either side: the rate is below %.3f %%", 100*bound)
	if bound > f.Tolerance {
		words += fmt.Sprintf(", which is more than the tolerance: to show that takes %.0f requests a side", math.Ceil(3/f.Tolerance))
	}
	return words
}
