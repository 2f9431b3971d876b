package report

import (
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

// chart is what the page's script draws of one run. All lists are as long as
// X; a null is a slice without that figure.
type chart struct {
	Name     string       `json:"name"`
	X        []float64    `json:"x"` // seconds from the run's start, middle of the slice
	P50      []*float64   `json:"p50"`
	P95      []*float64   `json:"p95"`
	P99      []*float64   `json:"p99"`
	P95Limit *float64     `json:"p95Limit"` // ms, of the target on all honest steps
	Served   []*float64   `json:"served"`   // per second
	Refused  []*float64   `json:"refused"`
	Errors   []*float64   `json:"errors"`
	Steps    []chartLine  `json:"steps"`
	Gauges   []chartLine  `json:"gauges"`
	Phases   []chartPhase `json:"phases"`
}

type chartLine struct {
	Name   string     `json:"name"`
	Values []*float64 `json:"values"`
}

type chartPhase struct {
	Name   string  `json:"name"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Judged bool    `json:"judged"`
}

func chartOf(r *Run) chart {
	s := r.Result.Series
	c := chart{Name: r.Result.Scenario, X: []float64{}, Steps: []chartLine{}, Gauges: []chartLine{}, Phases: []chartPhase{}}
	every := s.Every.Seconds()
	gauges := map[string]bool{}
	for _, sl := range s.Slices {
		c.X = append(c.X, sl.At.Seconds()+every/2)
		for name := range sl.Gauges {
			gauges[name] = true
		}
	}
	of := func(f func(measure.Slice) *float64) []*float64 {
		out := make([]*float64, len(s.Slices))
		for i, sl := range s.Slices {
			out[i] = f(sl)
		}
		return out
	}
	ms := func(d time.Duration) *float64 {
		if d == 0 {
			return nil
		}
		return new(d.Seconds() * 1000)
	}
	perSecond := func(n int64) *float64 {
		if every == 0 {
			return nil
		}
		return new(float64(n) / every)
	}
	c.P50 = of(func(s measure.Slice) *float64 { return ms(s.P50) })
	c.P95 = of(func(s measure.Slice) *float64 { return ms(s.P95) })
	c.P99 = of(func(s measure.Slice) *float64 { return ms(s.P99) })
	c.Served = of(func(s measure.Slice) *float64 { return perSecond(s.Counts.Served) })
	c.Refused = of(func(s measure.Slice) *float64 { return perSecond(s.Counts.Refused) })
	c.Errors = of(func(s measure.Slice) *float64 { return perSecond(s.Counts.Errors) })
	for _, step := range r.Result.Steps(false) {
		if step.Step.Intruder {
			continue
		}
		c.Steps = append(c.Steps, chartLine{step.Step.Name, of(func(s measure.Slice) *float64 {
			return ms(time.Duration(s.StepP95[step.Step.Name]) * time.Microsecond)
		})})
	}
	for _, name := range sortedKeys(gauges) {
		c.Gauges = append(c.Gauges, chartLine{name, of(func(s measure.Slice) *float64 {
			if v, ok := s.Gauges[name]; ok {
				return &v
			}
			return nil
		})})
	}
	for _, p := range r.Result.Phases {
		c.Phases = append(c.Phases, chartPhase{p.Name, p.From.Seconds(), p.To.Seconds(), p.Judged})
	}
	for _, v := range r.Verdicts {
		if v.Target.Metric == "p95" && v.Target.Step == "" && v.Target.Unit() == targets.Time {
			c.P95Limit = ms(time.Duration(v.Target.Limit))
		}
	}
	return c
}
