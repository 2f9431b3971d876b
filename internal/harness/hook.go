package harness

import (
	"context"
	"time"

	"vitals/internal/load"
	"vitals/report"
)

// Hook is what runs during a scenario's load and has its say about the result
// before it is judged.
type Hook interface {
	// Before is called when nothing was sent yet. It may add to the options.
	Before(ctx context.Context, opt *load.Options)
	// During goes on with the load, whose context ends with the load's schedule,
	// and is waited for. Offsets count from began.
	During(ctx context.Context, began time.Time) error
	// After is called when the load has ended. The context is that of Before: it
	// may have ended when the user did not want to wait.
	After(ctx context.Context, run *report.Run)
}

// quiet is the Hook that does nothing; hooks that have no say at a moment embed it.
type quiet struct{}

func (quiet) Before(context.Context, *load.Options)   {}
func (quiet) During(context.Context, time.Time) error { return nil }
func (quiet) After(context.Context, *report.Run)      {}
