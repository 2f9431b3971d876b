package baseline

import (
	"math"

	"vitals/internal/baseline/stats"
	"vitals/internal/measure"
)

// A queue that grows raises p95 steadily: a trend that noise makes less often
// than this, over slices of which fewer show none.
const (
	risingP   = 0.02
	fewSlices = 5
)

// QueueGrowth is by how much p95 grew over the judged window, along the median
// of all slopes between its slices; 1 when it did not grow steadily, as the queue
// of a system does that cannot take what is due. False of too few slices to tell.
func QueueGrowth(r *measure.Result) (float64, bool) {
	w := window(r)
	if len(w) < fewSlices {
		return 0, false
	}
	t, x := make([]float64, len(w)), make([]float64, len(w))
	for i, s := range w {
		t[i], x[i] = s.At.Seconds(), math.Log(s.P95.Seconds())
	}
	if stats.Rising(x) > risingP {
		return 1, true
	}
	return math.Exp(stats.TheilSen(t, x) * (t[len(t)-1] - t[0])), true
}
