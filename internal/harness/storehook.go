package harness

import (
	"context"
	"fmt"
	"time"

	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/report"
)

// storeHook reads what the stores behind the system feel, once a second, on the run's
// clock. It goes beside gaugeHook: a store that hangs must not hold up its readings.
type storeHook struct {
	quiet
	st    *stack.Stack
	gauge func(at time.Duration, name string, v float64)

	fails int
	last  error
}

func (w *storeHook) Beside(ctx context.Context, began time.Time) error {
	if w.st.Behind == nil {
		return nil
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var before observe.Metrics
	var then time.Time
	for {
		once, stop := context.WithTimeout(ctx, 2*time.Second)
		now, err := w.st.Behind(once)
		stop()
		at := time.Now()
		switch {
		case err == nil:
			levels, means := observe.FeltBehind(before, now, at.Sub(then))
			for name, v := range levels {
				w.gauge(at.Sub(began), name, v)
			}
			for name, v := range means {
				over(w.gauge, then.Sub(began), at.Sub(began), name, v)
			}
			before, then = now, at
		case ctx.Err() == nil:
			w.fails, w.last = w.fails+1, err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *storeHook) After(_ context.Context, run *report.Run) {
	if w.fails > 0 {
		run.Result.Notes = append(run.Result.Notes, fmt.Sprintf("%d readings of Postgres and Redis failed, the last: %v", w.fails, w.last))
	}
}
