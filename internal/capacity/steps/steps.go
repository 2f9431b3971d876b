// Package steps makes the measurements of a search for capacity: a run of a
// scenario at one rate, judged by its targets.
package steps

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/capacity"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/measure"
	"vitals/targets"
)

// Runner makes measurements.
type Runner struct {
	Options harness.Options // one scenario
	Window  harness.Window  // Rate is the step's
	Kill    context.Context
	Out     string       // folder that gets steps/NN
	Say     func(string) // what is to be known before a measurement; nil is not told
	n       int
}

// leastArrivals are needed for a p95 that says anything: at a low rate the window
// is made longer.
const leastArrivals = 300

// mostStretch is how much longer than it was asked for a window is made at the most.
const mostStretch = 10

// leastRate is the lowest rate that is worth a window of mostStretch times the length.
func leastRate(measure time.Duration) float64 {
	return leastArrivals / (mostStretch * measure.Seconds())
}

// stretched is the window at a rate, and what is to be said of one that is longer than
// was asked for.
func stretched(asked time.Duration, rate float64) (window time.Duration, why string) {
	window = time.Duration(leastArrivals / rate * float64(time.Second)).Round(time.Second)
	if window <= asked {
		return asked, ""
	}
	return window, fmt.Sprintf("%8.4g/s  measures for %s, not %s: a p95 needs %d arrivals", rate, window, asked, leastArrivals)
}

// Measure runs the scenario at a rate, from a fresh start of a stack that is
// ours.
func (r *Runner) Measure(ctx context.Context, rate float64) (capacity.Step, error) {
	r.n++
	o, w := r.Options, r.Window
	w.Rate = rate
	var why string
	if w.Measure, why = stretched(w.Measure, rate); why != "" && r.Say != nil {
		r.Say(why)
	}
	o.Window = &w
	o.Seed += uint64(r.n)
	o.Out = filepath.Join(r.Out, "steps", fmt.Sprintf("%02d", r.n))
	d, err := harness.Quiet(ctx, r.Kill, o)
	switch {
	case err != nil:
		return capacity.Step{}, err
	case len(d.Runs) != 1:
		return capacity.Step{}, exit.Errorf(exit.Usage, "a search takes one scenario, and this names %d", len(d.Runs))
	}
	return Of(d.Runs[0].Result, d.Runs[0].Verdicts), nil
}

// bySystem begins a reason that the system is behind, not we.
const bySystem = "system:"

// Bounds of a step that the system kept up with.
const (
	mostGrowth    = 1.5
	leastAchieved = 0.98
)

// Of judges one run at one rate. A missed target binds, and so does what shows
// that the system fell behind though its latencies were not yet beyond their
// target: requests that were not sent, and a queue that grew. Targets that ask
// for a rate do not bind: the rate is what is searched for.
func Of(r *measure.Result, verdicts []targets.Verdict) capacity.Step {
	t := r.Total(true, true)
	s := capacity.Step{Requests: t.Counts.Sent}
	seconds := r.Window.Seconds()
	if t.Counts.Sent > 0 && seconds > 0 {
		n := float64(t.Counts.Sent)
		s.Goodput = float64(t.Counts.Sent-t.Counts.Errors-t.Counts.Tardy) / seconds
		s.Errors, s.Refused, s.Broken = float64(t.Counts.Errors)/n, float64(t.Counts.Refused)/n, float64(unanswered(t))/n
		s.P95, _ = t.Response.Quantile(0.95)
		s.Mean, _ = t.Response.Mean()
	}
	if f, ok := r.Fact("cpu"); ok {
		s.CPU = &f.Value
	}
	var ours []string
	for _, why := range r.Health.Invalid {
		if strings.HasPrefix(why, bySystem) {
			s.Binding = append(s.Binding, why)
		} else {
			ours = append(ours, why)
		}
	}
	for _, v := range verdicts {
		switch {
		case v.Target.Metric == "rps" && strings.HasPrefix(v.Target.Op, ">"):
		case v.Status == targets.Fail:
			s.Binding = append(s.Binding, v.Target.Text)
		case v.Status == targets.NoData && len(ours) == 0: // where there is a reason already, that is why
			ours = append(ours, "no data for "+v.Target.Text+": "+v.Note)
		}
	}
	s.Binding = append(s.Binding, behind(r, t.Counts)...)
	switch {
	case r.Unbegun():
		ours = append(ours, "the load did not begin: "+r.EndedEarly)
	case r.EndedEarly != "":
		s.Binding = append(s.Binding, "ended early: "+r.EndedEarly)
	}
	s.Invalid = strings.Join(ours, "; ")
	s.Meets = len(s.Binding) == 0 && s.Invalid == "" && s.Requests > 0
	if s.Requests == 0 && s.Invalid == "" {
		s.Invalid = "no request was due in the window"
	}
	s.Binding = slices.Compact(s.Binding)
	return s
}

// behind says what shows that the system did not take what was due.
func behind(r *measure.Result, c measure.Counts) (out []string) {
	if c.Planned > 0 && float64(c.Sent) < leastAchieved*float64(c.Planned) {
		out = append(out, fmt.Sprintf("only %.0f %% of what was due could be sent", 100*float64(c.Sent)/float64(c.Planned)))
	}
	if g, ok := baseline.QueueGrowth(r); ok && g > mostGrowth {
		out = append(out, fmt.Sprintf("the queue grew: p95 at the end %.1f times that at the beginning", g))
	}
	return out
}

// unanswered are the requests that got no answer, or a broken one.
func unanswered(t measure.StepResult) int64 {
	var answered int64
	for _, n := range t.Codes {
		answered += n
	}
	return max(0, t.Counts.Sent-answered)
}
