package load

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// Probe is what this machine's generator can do: what a user may believe of
// figures taken here.
type Probe struct {
	MaxRate float64       `json:"max_rate"` // requests per second that 32 users without think time made
	MaxCPU  time.Duration `json:"max_cpu_us"`
	Rates   []Pace        `json:"rates"`
}

// Pace is one fixed rate as the generator kept it.
type Pace struct {
	Rate    float64       `json:"rate"`    // arrivals per second, planned
	Grid    time.Duration `json:"grid_us"` // what they were rounded up to; 0 = exact
	Sent    float64       `json:"sent"`    // share of the planned ones
	Lag50   time.Duration `json:"lag_p50_us"`
	Lag99   time.Duration `json:"lag_p99_us"`
	Service time.Duration `json:"service_p50_us"`
	CPU     time.Duration `json:"cpu_us"`           // of this process, per request
	Doubts  []string      `json:"doubts,omitempty"` // what a run at this rate would have said of itself
}

// ProbeGenerator measures the generator against a server at base that does
// nothing but answer (package null), in another process, so that its CPU is not
// counted here. It takes four times each, and tells after every step (may be nil).
func ProbeGenerator(ctx context.Context, base *url.URL, each time.Duration, step func(what string)) (*Probe, error) {
	tell := func(format string, args ...any) {
		if step != nil {
			step(fmt.Sprintf(format, args...))
		}
	}
	p := &Probe{}
	tell("as fast as it goes")
	var err error
	if p.MaxRate, p.MaxCPU, err = MaxRate(ctx, base, each); err != nil {
		return nil, err
	}
	for _, rate := range []float64{1000, 5000, 10000} {
		tell("%.0f requests per second", rate)
		made, err := probe(ctx, base, scenarios.Load{Model: scenarios.Arrivals, Stages: []scenarios.Stage{{From: rate, To: rate, For: each}}}, false)
		if err != nil {
			return nil, err
		}
		pace := Pace{Rate: rate, Grid: grid(rate), Sent: float64(made.sent) / (rate * each.Seconds()), CPU: made.cpu, Doubts: append(made.health.Invalid, made.health.Suspect...)}
		pace.Lag50, _ = made.health.Lag.Quantile(0.5)
		pace.Lag99, _ = made.health.Lag.Quantile(0.99)
		pace.Service, _ = made.service.Quantile(0.5)
		p.Rates = append(p.Rates, pace)
	}
	return p, nil
}

// MaxRate is the highest rate that this machine's generator makes against a server
// that does nothing but answer, in requests per second, and what each costs it.
func MaxRate(ctx context.Context, base *url.URL, each time.Duration) (rate float64, cpu time.Duration, err error) {
	made, err := probe(ctx, base, scenarios.Load{Model: scenarios.Users, Stages: []scenarios.Stage{{From: 32, To: 32, For: each}}}, true)
	return float64(made.sent) / each.Seconds(), made.cpu, err
}

type probed struct {
	sent    int64
	cpu     time.Duration
	health  measure.Health
	service *measure.Histogram
}

func probe(ctx context.Context, base *url.URL, l scenarios.Load, direct bool) (probed, error) {
	l.Stages[0].Name, l.Stages[0].Judged = "hold", true
	sc := &scenarios.Scenario{Name: "probe", Load: l, Quick: l, Journeys: []scenarios.Journey{{
		Name: "probe", Tasks: []scenarios.Task{{Name: "get", Steps: []scenarios.Step{{Name: "get", Path: "/"}}}},
	}}}
	rec := measure.NewRecorder(Steps(sc), l.Phases(), measure.Options{})
	cpu := ownCPU()
	o, err := Run(ctx, sc, rec, Options{Base: base, Direct: direct})
	if err != nil {
		return probed{}, err
	}
	if o.Partial {
		return probed{}, fmt.Errorf("probe the generator: ended early: %s %w", o.EndedEarly, context.Cause(ctx))
	}
	cpu = ownCPU() - cpu
	s := rec.Finish().Phases[0].Steps[0]
	if s.Counts.Served == 0 || s.Counts.Served != s.Counts.Sent {
		return probed{}, fmt.Errorf("probe the generator: %d of %d requests were answered: is %s a null server?", s.Counts.Served, s.Counts.Sent, base.Host)
	}
	return probed{s.Counts.Sent, cpu / time.Duration(s.Counts.Sent), o.Health, s.Service}, nil
}
