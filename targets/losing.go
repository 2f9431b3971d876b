package targets

import (
	"vitals/internal/measure"
)

// lookBack is how many of the last slices must all miss a target for it to be lost
// at the moment: one slow second is no trend.
const lookBack = 3

// Losing are the targets asked of a scenario that each of the last slices with a
// figure misses, with the figure of the last of them. It is for people who watch a
// run; what counts is judged over the whole window. Targets of which slices know
// nothing, and those of a phase, are left out.
func Losing(ts []Target, scenario string, s measure.Snapshot) (out []Verdict) {
	if len(s.Last) < lookBack || s.Every <= 0 {
		return nil
	}
	for i, t := range ts {
		if !t.Asked(scenario) || t.During != "" || !metrics[t.Metric].live || t.Step != "" && t.Metric != "p95" {
			continue
		}
		missed, got := 0, 0.0
		for _, slice := range s.Last[len(s.Last)-lookBack:] {
			v, ok := sliceFigure(t, slice, s.Every)
			if ok && !t.holds(v) {
				missed, got = missed+1, v
			}
		}
		repeated := false
		for _, o := range ts[:i] {
			repeated = repeated || o.Asked(scenario) && o.same(t)
		}
		if missed == lookBack && !repeated {
			out = append(out, Verdict{Target: t, Status: Fail, Got: got})
		}
	}
	return out
}
