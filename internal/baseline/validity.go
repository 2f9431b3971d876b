package baseline

import (
	"fmt"
	"math"
	"strings"
	"time"

	"vitals/internal/baseline/stats"
	"vitals/internal/measure"
)

// The bounds of a run that may be compared. None of them looks at whether the
// figures went up or down.
const (
	leastAchieved = 0.98
	mostSteal     = 0.05
	mostGenerator = 0.70
	mostGrowth    = 1.5 // of p95 from the beginning of the window to its end
)

// invalid says why a run is none, all reasons; "" of a valid one.
func invalid(r *measure.Result, run *Run) string {
	var why []string
	add := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	why = append(why, r.Health.Invalid...)
	switch {
	case r.EndedEarly != "":
		add("ended early: %s", r.EndedEarly)
	case r.Partial:
		add("interrupted")
	}
	if p95, ok := r.Total(true, true).Response.Quantile(0.95); ok {
		if lag, relevant := r.Health.Own(p95); relevant {
			add("our own lag, p99 %s, is a relevant part of p95 %s", lag.Round(10*time.Microsecond), p95.Round(10*time.Microsecond))
		}
	}
	open := r.Model == gatesArrivals
	if open && run.Offered > 0 && run.Achieved < leastAchieved {
		add("achieved %.2f of what was due", run.Achieved)
	}
	if run.Steal > mostSteal {
		add("%.0f %% of the machine was stolen", 100*run.Steal)
	}
	if run.GenCPU > mostGenerator {
		add("the generator took %.0f %% of the machine", 100*run.GenCPU)
	}
	if n, ok := value(run.SUT.Restarts); ok && n > 0 {
		add("the system restarted")
	}
	if open {
		if g, ok := QueueGrowth(r); ok && g > mostGrowth {
			add("the queue grew: p95 at the end %.1f times that at the beginning", g)
		}
	}
	return strings.Join(why, "; ")
}

// window are the slices that lie wholly in the judged phases.
func window(r *measure.Result) (out []measure.Slice) {
	for _, s := range r.Series.Slices {
		for _, p := range r.Phases {
			if p.Judged && s.At >= p.From && s.At+r.Series.Every <= p.To && s.P95 > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// steadyParts is into how many parts the window is cut to see whether the first
// still holds some of the warm-up.
const steadyParts = 6

// unsteady says why the window seems to begin before the system was warm: its
// first part lies further from the others than they from each other.
func unsteady(slices []measure.Slice) string {
	each := len(slices) / steadyParts
	if each == 0 {
		return ""
	}
	var parts []float64
	for i := range steadyParts {
		var x []float64
		for _, s := range slices[i*each : (i+1)*each] {
			x = append(x, math.Log(s.P95.Seconds()))
		}
		parts = append(parts, stats.Median(x))
	}
	rest := parts[1:]
	away := parts[0] - stats.Median(rest)
	if math.Abs(away) <= max(math.Log(1.1), 3*stats.MAD(rest)) {
		return ""
	}
	return fmt.Sprintf("p95 of the first %s is %+.0f %% from the rest", (time.Duration(each) * (slices[1].At - slices[0].At)).Round(time.Second), 100*math.Expm1(away))
}
