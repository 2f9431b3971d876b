package checklist

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"vitals/internal/machine"
	"vitals/internal/measure"
)

// A machine that is so busy has no processor left, and an API that has itself no more
// than that of them is slow for what runs beside it.
const (
	fullyBusy = 0.95
	ownCores  = 0.6
)

// crowded says that what sends the attack, on the same machine, took the processors
// that the API needed in the slowest third of the seconds under attack; "" when it did
// not, or when nobody knows.
func crowded(r *measure.Result, busy []machine.Reading) string {
	var under []measure.Slice
	for _, p := range r.Phases {
		for _, s := range r.Series.Slices {
			if _, known := s.Gauges["cpu"]; known && p.Name == "attacked" && s.At >= p.From && s.At < p.To {
				under = append(under, s)
			}
		}
	}
	slices.SortFunc(under, func(a, b measure.Slice) int { return cmp.Compare(b.P95, a.P95) })
	var full, own []float64
	for _, s := range under[:(len(under)+2)/3] {
		own = append(own, s.Gauges["cpu"])
		from := r.Began.Add(s.At)
		for _, x := range busy {
			if x.At.After(from) && !x.At.After(from.Add(r.Series.Every+time.Second/2)) {
				full = append(full, x.Busy)
			}
		}
	}
	if len(full) == 0 || median(full) < fullyBusy || median(own) > ownCores {
		return ""
	}
	return fmt.Sprintf("this machine is too small to send the attack as well: where the API was slow %.0f %% of the processors were busy, and it had %.0f %% of them itself",
		100*median(full), 100*median(own))
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
