package targets

import (
	"fmt"
	"time"

	"vitals/internal/measure"
)

// Tripped tells whether an abort rule such as "p95 > 1s for 10s" holds in the
// last closed slices, and says what was seen. Every slice of the last For that
// has a figure must satisfy the sentence, at least half of them must have one,
// and the slices must reach back that far: a run is not ended on no data. Without
// For the last slice decides.
func Tripped(t Target, s measure.Snapshot) (bool, string) {
	if len(s.Last) == 0 {
		return false, ""
	}
	every := s.Every
	if every <= 0 {
		every = time.Second
	}
	need := max(1, int((t.For+every-1)/every))
	if len(s.Last) < need {
		return false, ""
	}
	last := s.Last[len(s.Last)-need:]
	known, worst := 0, 0.0
	for _, slice := range last {
		got, ok := sliceFigure(t, slice, every)
		if !ok {
			continue
		}
		if !t.holds(got) {
			return false, ""
		}
		if known == 0 || t.further(got, worst) {
			worst = got
		}
		known++
	}
	if known == 0 || known*2 < need {
		return false, ""
	}
	from := last[0].At
	return true, fmt.Sprintf("%s: from %s to %s, %s at the worst", t.Text, from, from+time.Duration(need)*every, t.Unit().Format(worst))
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
