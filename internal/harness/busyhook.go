package harness

import (
	"context"
	"slices"
	"strings"

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
	words, share := machine.ReadLoad(context.WithoutCancel(ctx)).Busy(h.before)
	if words == "" {
		return
	}
	words = measure.CauseCPU + ": " + words
	if share > crowded { // more workers would only wait for a processor, too
		few := func(reason string) bool { return strings.HasPrefix(reason, measure.CauseWorkers) }
		health.Invalid, health.Late = slices.DeleteFunc(health.Invalid, few), slices.DeleteFunc(health.Late, few)
	}
	health.Invalid, health.Late = append(health.Invalid, words), append(health.Late, words)
}

// crowded is the share of the processors from which what other programs take is why
// requests waited for a worker.
const crowded = 0.8
