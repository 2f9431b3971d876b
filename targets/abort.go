package targets

import (
	"fmt"
	"slices"
	"time"

	"vitals/internal/measure"
)

// Tripped tells whether an abort rule such as "p95 > 1s for 10s" held for so long in the
// closed slices, and says what was seen. Every slice of the For that has a figure must
// satisfy the sentence, at least half of them must have one, and the slices must reach
// back that far: a run is not ended on no data. Without For one slice decides. Slices in
// which nothing was due, for users waited all through them for answers that were due
// before, count as those.
//
// A slice is of the requests that were due in it, and the newest lack those that are not
// answered yet. So windows that end some slices ago are looked at as well; and of a rate
// or a share, which a missing answer could move either way, only those that are as old
// as the longest answer. A time above a bound is only further above it when the rest
// has come.
func Tripped(t Target, s measure.Snapshot) (bool, string) {
	every := s.Every
	if every <= 0 {
		every = time.Second
	}
	need := max(1, int((t.For+every-1)/every))
	if t.Unit() == Share && t.Metric != "cpu" {
		s.Last = waited(s.Last, every)
	}
	newest, oldest := len(s.Last), len(s.Last)-settled
	if counted := t.Unit() != Time && t.Metric != "cpu"; counted {
		newest -= unsettled(s.Last, every)
	}
	for end := newest; end >= max(need, oldest); end-- {
		if held, note := t.heldIn(s.Last[:end], need, every); held {
			return true, note
		}
	}
	return false, ""
}

// waited adds the slices after the newest in which users waited for what was due before.
func waited(last []measure.Slice, every time.Duration) []measure.Slice {
	until := time.Duration(0)
	for _, slice := range last {
		until = max(until, slice.Until)
	}
	out := slices.Clone(last)
	for n := len(out); n > 0 && out[n-1].At+2*every <= until && n-len(last) < settled; n++ {
		out = append(out, measure.Slice{At: out[n-1].At + every})
	}
	return out
}

// leastWaited is how many requests a figure is of, at the least, that stands for the
// slices in which users waited for them.
const leastWaited = 3

// settled is after how many slices no answer is waited for any more.
const settled = 10

// unsettled is how many of the newest slices may lack answers: as many as the longest
// response time spans.
func unsettled(last []measure.Slice, every time.Duration) int {
	longest := time.Duration(0)
	for _, slice := range last {
		longest = max(longest, slice.Max)
	}
	if longest < every/4 {
		return 0 // of so few answers that they move nothing
	}
	return min(settled, int((longest+every-1)/every))
}

// heldIn tells whether the rule held throughout the last need slices.
func (t Target) heldIn(all []measure.Slice, need int, every time.Duration) (bool, string) {
	window := all[len(all)-need:]
	known, judged, waiting, worst, until := 0, int64(0), 0, 0.0, time.Duration(0)
	for _, slice := range all[:len(all)-need] {
		until = max(until, slice.Until)
	}
	for _, slice := range window {
		got, ok := sliceFigure(t, slice, every)
		if !ok {
			if slice.Counts.Sent == 0 && until >= slice.At+every {
				waiting++
			}
			continue
		}
		until, judged = max(until, slice.Until), judged+slice.Counts.Judged()
		if !t.holds(got) {
			return false, ""
		}
		if known == 0 || t.further(got, worst) {
			worst = got
		}
		known++
	}
	if waiting > 0 && judged < leastWaited {
		waiting = 0 // one user who waits says nothing of the others, who think
	}
	if known == 0 || (known+waiting)*2 < len(window) {
		return false, ""
	}
	from := window[0].At
	return true, fmt.Sprintf("%s: from %s to %s, %s at the worst", t.Text, from, from+time.Duration(len(window))*every, t.Unit().Format(worst))
}

// further tells whether a lies deeper in what the rule forbids than b.
func (t Target) further(a, b float64) bool {
	if t.Op == "<" || t.Op == "<=" {
		return a < b
	}
	return a > b
}

// sliceFigure is the metric in one slice; false when the slice cannot say.
func sliceFigure(t Target, s measure.Slice, every time.Duration) (float64, bool) {
	c := s.Counts
	switch t.Metric {
	case "p50":
		return float64(s.P50), c.Served > 0
	case "p95":
		if t.Step != "" {
			us, ok := s.StepP95[t.Step]
			return float64(us) * float64(time.Microsecond), ok
		}
		return float64(s.P95), c.Served > 0
	case "p99":
		return float64(s.P99), c.Served > 0
	case "max":
		return float64(s.Max), c.Served > 0
	case "rps":
		return float64(c.Served) / every.Seconds(), every > 0
	case "cpu":
		v, ok := s.Gauges["cpu"]
		return v, ok
	}
	f := share(t, c)
	return f.got, f.missing == ""
}
