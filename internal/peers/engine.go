package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/url"
	"strings"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/scenarios"
)

// figures are what a tool says about its own run; zero = it does not say.
type figures struct {
	P50, P90, P95, P99, Max time.Duration // from the due time where the tool knows one
	ServiceP50              time.Duration
	ServiceP95              time.Duration
	P975                    time.Duration
	Lag50, Lag99            time.Duration
	Says                    string // of itself: why its figures may not be believed
}

// drive is our engine as a process, like the other tools.
func drive(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("drive", flag.ContinueOnError)
	addr := flags.String("addr", "", "of the server")
	length := flags.Duration("for", time.Second, "length")
	rate := flags.Float64("rate", 0, "arrivals per second; 0 = users")
	users := flags.Int("users", 32, "virtual users")
	workers := flags.Int("workers", 32, "cap on requests in flight")
	think := flags.Duration("think", 0, "of a user")
	direct := flags.Bool("direct", false, "the direct driver")
	around := flags.Duration("around", 0, "of the same rate before and after, not counted in the figures")
	steps := flags.Int("steps", 1, "different steps")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l := scenarios.Load{Model: scenarios.Users, Stages: []scenarios.Stage{{Name: "hold", From: float64(*users), To: float64(*users), For: *length, Judged: true}}}
	if *rate > 0 {
		l.Model, l.Workers = scenarios.Arrivals, *workers
		l.Stages[0].From, l.Stages[0].To = *rate, *rate
	}
	if hold := l.Stages[0]; *around > 0 {
		before, after := hold, hold
		before.Name, before.For, before.Judged = "before", *around, false
		after.Name, after.For, after.Judged = "after", *around, false
		l.Stages = []scenarios.Stage{before, hold, after}
	}
	// Users that all think equally long would go in step; half to one and a half.
	j := scenarios.Journey{Name: "bench", Think: scenarios.Range{From: *think / 2, To: *think * 3 / 2}}
	for i := range *steps {
		name := string(rune('a' + i))
		j.Tasks = append(j.Tasks, scenarios.Task{Name: name, Steps: []scenarios.Step{{Name: name, Path: "/" + name,
			Expect: scenarios.Expect{Status: []int{200}, Header: map[string]*string{"Content-Type": new("application/json")}}}}})
	}
	sc := &scenarios.Scenario{Name: "bench", Load: l, Quick: l, Journeys: []scenarios.Journey{j}}
	rec := measure.NewRecorder(load.Steps(sc), l.Phases(), measure.Options{})
	o, err := load.Run(ctx, sc, rec, load.Options{Base: &url.URL{Scheme: "http", Host: *addr}, Direct: *direct, Seed: 1})
	if err != nil {
		return err
	}
	response, service := measure.NewHistogram(), measure.NewHistogram()
	for _, phase := range rec.Finish().Phases {
		if !phase.Judged {
			continue
		}
		for _, s := range phase.Steps {
			response.Merge(s.Response)
			service.Merge(s.Service)
		}
	}
	var f figures
	f.P50, _ = response.Quantile(0.5)
	f.P90, _ = response.Quantile(0.9)
	f.P95, _ = response.Quantile(0.95)
	f.P975, _ = response.Quantile(0.975)
	f.P99, _ = response.Quantile(0.99)
	f.Says = strings.Join(o.Health.Invalid, "; ")
	f.Max, _ = response.Max()
	f.ServiceP50, _ = service.Quantile(0.5)
	f.ServiceP95, _ = service.Quantile(0.95)
	f.Lag50, _ = o.Health.Lag.Quantile(0.5)
	f.Lag99, _ = o.Health.Lag.Quantile(0.99)
	return json.NewEncoder(out).Encode(f)
}
