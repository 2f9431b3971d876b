package targets

import (
	"fmt"
	"time"

	"vitals/internal/measure"
)

// spike is the phase whose end recovery is counted from.
const spike = "spike"

// recovery is the time from the end of the phase "spike" (its load begins to go
// back) to the start of the first slice from which on every slice is inside the
// scenario's own p95 and errors targets. A slice in which nothing was sent is
// passed over. A run that is outside at its end has not recovered: that fails
// when the limit has passed, and is no data when the run ended before it.
// The precision is one slice.
func recovery(t Target, all []Target, r *measure.Result) figure {
	end := time.Duration(-1)
	for _, p := range r.Phases {
		if p.Name == spike {
			end = p.To
		}
	}
	if end < 0 {
		return none("the run had no phase %q to recover from", spike)
	}
	inside := insiders(all, r.Scenario)
	if len(inside) == 0 {
		return none("no target on p95 or errors says what recovered means")
	}
	var since, watched time.Duration
	var n int64
	back := false
	for _, s := range r.Series.Slices {
		if s.At < end || s.Counts.Sent == 0 {
			continue
		}
		good := within(s, inside)
		if good && !back {
			since = s.At - end
		}
		back = good
		n += s.Counts.Sent
		watched = s.At + r.Series.Every - end
	}
	switch {
	case n == 0:
		return none("nothing was sent after the spike (n = 0)")
	case back:
		return figure{got: float64(since), n: n}
	case t.holds(float64(watched)):
		return none("still outside when the run ended, %s after the spike", watched)
	}
	return figure{got: float64(watched), n: n, note: fmt.Sprintf("still outside when the run ended, %s after the spike", watched)}
}

// insiders are the sentences on p95 and errors over all steps and no phase.
func insiders(all []Target, scenario string) (ts []Target) {
	for _, t := range all {
		if (t.Metric == "p95" || t.Metric == "errors") && t.Step == "" && t.During == "" && t.For == 0 && t.Asked(scenario) {
			ts = append(ts, t)
		}
	}
	return ts
}

func within(s measure.Slice, inside []Target) bool {
	for _, t := range inside {
		if got, ok := sliceFigure(t, s, 0); !ok || !t.holds(got) {
			return false
		}
	}
	return true
}
