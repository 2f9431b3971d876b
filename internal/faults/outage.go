package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vitals/internal/stack"
)

// Outage is a fault as it was really done.
type Outage struct {
	Fault
	Began, Over time.Duration // offsets from the run's start; Over 0 = it was not undone
	Err         error         // it did not go as planned
}

// engineTime bounds one action on a part of the stack.
const engineTime = 30 * time.Second

// Do does the fault at its time and undoes it whatever happens: at its end, when
// ctx ends, on a panic. What undoes it has a time of its own: it must happen when
// the run's has ended. The act is told to talk before it is done.
func (o *Outage) Do(ctx context.Context, began time.Time, do func(ctx context.Context, part string, a stack.Action) error, talk func(string)) {
	act := func(a stack.Action) error {
		talk(fmt.Sprintf("fault: %s %s", a, o.Part))
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineTime)
		defer cancel()
		return do(ctx, o.Part, a)
	}
	if !waitUntil(ctx, began.Add(o.At)) {
		o.Err = errors.New("the run ended before it")
		return
	}
	o.Began = time.Since(began)
	defer func() {
		err := act(o.Undo)
		switch {
		case err == nil:
			o.Over = time.Since(began)
		case o.Err == nil: // else the fault itself did not work, and there is nothing to undo
			o.Err = fmt.Errorf("it is not undone: %w", err)
		}
	}()
	if o.Err = act(o.Fault.Do); o.Err == nil {
		waitUntil(ctx, began.Add(o.End()))
	}
}

// waitUntil is false when ctx ends first.
func waitUntil(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
