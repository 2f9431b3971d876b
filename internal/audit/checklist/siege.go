package checklist

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"vitals/internal/audit"
	"vitals/internal/harness"
	"vitals/internal/machine"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/targets"
)

// siege runs the built-in scenario of that name for the audit's probe, against an
// API that the audit has started, and reads its result.
func siege(tool string) func(ctx context.Context, g *audit.Target, quick bool) (audit.Siege, error) {
	return func(ctx context.Context, g *audit.Target, quick bool) (audit.Siege, error) {
		dir, err := stack.NewFolder("siege", false)
		if err != nil {
			return audit.Siege{}, err
		}
		defer dir.Remove() // it holds passwords
		opt, err := siegeRun(dir.Path, g, quick)
		if err != nil {
			return audit.Siege{}, err
		}
		opt.Tool = tool
		p, err := harness.Read(opt)
		if err != nil {
			return audit.Siege{}, err
		}
		watch := machine.Watch(ctx, time.Second/2)
		d, err := harness.Run(ctx, ctx, p, harness.Streams{Out: io.Discard, Err: io.Discard})
		if d == nil || len(d.Runs) == 0 {
			return audit.Siege{}, fmt.Errorf("nothing was measured: %w", err)
		}
		return sieged(d.Runs[0], watch()), nil
	}
}

// siegeRun is the run that the probe asks for. The scenario's own targets are all
// that is asked of it.
func siegeRun(dir string, g *audit.Target, quick bool) (harness.Options, error) {
	opt := harness.Options{
		Scenarios: []string{"siege"}, Pace: "full", Targets: "none", URL: g.URL.String(), Own: []string{g.URL.Hostname()},
		Accounts: filepath.Join(dir, "accounts.csv"), Forward: g.Forward, Out: filepath.Join(dir, "out"), Seed: uint64(time.Now().UnixNano()), Quiet: true,
		AllowProduction: true, Replicas: 1,
	}
	if quick {
		opt.Pace = "quick"
	}
	if g.Admin != nil {
		opt.Metrics, opt.Cores = g.Admin.String(), float64(runtime.NumCPU()) // it was started here
	}
	f, err := os.OpenFile(opt.Accounts, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return opt, err
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"email", "password"}) // Flush tells
	for _, a := range g.Accounts {
		if a.Role == "" {
			_ = w.Write([]string{a.Email, a.Password})
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		f.Close()
		return opt, err
	}
	return opt, f.Close()
}

// sieged reads a run's result, with what the machine was busy meanwhile.
func sieged(r report.Run, busy []machine.Reading) (s audit.Siege) {
	for _, v := range r.Verdicts {
		switch v.Status {
		case targets.Pass:
			s.Held = append(s.Held, v.String())
		case targets.Fail:
			s.Missed = append(s.Missed, v.String())
		default:
			s.Unproved = append(s.Unproved, v.String())
		}
	}
	if r.Invariants != nil {
		for _, v := range r.Invariants.Violations {
			s.Missed = append(s.Missed, v.String())
		}
	}
	if r.Result.EndedEarly != "" {
		s.Unproved = append(s.Unproved, "ended early: "+r.Result.EndedEarly)
	}
	if r.Verdict == report.Invalid {
		s.Unproved = append(s.Unproved, r.Result.Health.Invalid...)
		if len(s.Unproved) == 0 {
			s.Unproved = append(s.Unproved, "the measurement is invalid")
		}
	}
	if why := crowded(r.Result, busy); why != "" {
		s.Unproved = append(s.Unproved, why)
	}
	s.Took = r.Result.Took
	return s
}
