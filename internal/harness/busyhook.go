package harness

import (
	"context"

	"vitals/internal/load"
	"vitals/internal/machine"
	"vitals/internal/measure"
	"vitals/report"
)

// busyHook says what kept the machine busy when we were late ourselves.
type busyHook struct {
	quiet
	before machine.Load
}

func (h *busyHook) Before(ctx context.Context, _ *load.Options) { h.before = machine.ReadLoad(ctx) }

func (h *busyHook) After(ctx context.Context, run *report.Run) {
	health := &run.Result.Health
	if len(health.Late) == 0 {
		return
	}
	if words := machine.ReadLoad(context.WithoutCancel(ctx)).Busy(h.before); words != "" {
		words = measure.CauseCPU + ": " + words
		health.Invalid, health.Late = append(health.Invalid, words), append(health.Late, words)
	}
}
