package faults

import (
	"maps"
	"slices"
	"time"

	"vitals/internal/measure"
)

// Phases cuts the faults' windows, and what follows them, out of the phases.
func Phases(phases []measure.Phase, faults []Fault, spare time.Duration) []measure.Phase {
	cuts := map[time.Duration]bool{}
	for _, f := range faults {
		cuts[f.At], cuts[f.End()], cuts[f.End()+spare] = true, true, true
	}
	var out []measure.Phase
	for _, p := range phases {
		inside := slices.Sorted(maps.Keys(cuts))
		inside = slices.DeleteFunc(inside, func(at time.Duration) bool { return at <= p.From || at >= p.To })
		from := p.From
		for _, to := range append(inside, p.To) {
			part := measure.Phase{Name: p.Name, From: from, To: to, Judged: p.Judged}
			for _, f := range faults {
				if f.At <= from && from < f.End() {
					part.Name, part.Judged = During, false
				} else if f.End() <= from && from < f.End()+spare && part.Name != During {
					part.Name, part.Judged = Recovering, false
				}
			}
			if last := len(out) - 1; last >= 0 && out[last].Name == part.Name && out[last].Judged == part.Judged && part.Name != p.Name {
				out[last].To = part.To
			} else {
				out = append(out, part)
			}
			from = to
		}
	}
	return out
}
