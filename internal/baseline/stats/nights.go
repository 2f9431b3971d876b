package stats

import "math"

// The two-night rule: what the two newest nights are held to.
const (
	nightsBack  = 30
	nightsLeast = 10
	nightsLevel = 0.95
)

// LeastNights is how many nights of one level the two-night rule needs: the two
// newest, and those before them.
const LeastNights = nightsLeast + 2

// TwoNights says whether both of the two newest values lie above what the
// values before them in the same segment predict, and at least 5 % above their
// median. Fewer than 12 values say nothing.
func TwoNights(segment []float64) bool {
	n := len(segment) - 2
	if n < nightsLeast {
		return false
	}
	before := segment[max(0, n-nightsBack):n]
	k := float64(len(before))
	med := Median(before)
	scale := max(MAD(before), LogFloor) * math.Sqrt(1+1.57/k)
	bound := T(k/2, nightsLevel)
	for _, x := range segment[n:] {
		if x-med < minStep || (x-med)/scale <= bound {
			return false
		}
	}
	return true
}
