package targets

import "time"

// Unfelt is a difference in latency that counts as none: a tenth of the published
// 300 ms. Of an API that answers in 2 ms a tenth more is less than a
// shared machine can repeat, and nobody feels it; without a floor the comparison
// would judge the machine.
const Unfelt = 30 * time.Millisecond

// Slowdown is how many times longer with is than without. A difference below
// Unfelt counts as none, and felt is false then: what is slower comes out as 1.
func Slowdown(without, with time.Duration) (ratio float64, felt bool) {
	ratio = float64(with) / float64(max(1, without))
	if with-without > Unfelt {
		return ratio, true
	}
	return min(ratio, 1), false
}
