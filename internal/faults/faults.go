// Package faults breaks parts of a stack while the load runs and mends them again:
// how a fault is written, when it is there, and how long recovery from it took. It
// knows nothing of who attacks meanwhile.
package faults

import (
	"errors"
	"fmt"
	"time"

	"vitals/internal/stack"
	"vitals/scenarios"
)

// Fault is one --fault: what is done to a part of the stack, when, and for how
// long. It is done anew in every scenario, at an offset from the run's start.
type Fault struct {
	Text     string // as it was written
	Part     string // redis, postgres, api, api-2 …
	Do, Undo stack.Action
	At, Rest time.Duration // Rest 0: undone at once
}

// End is when it is undone, as an offset from the run's start.
func (f Fault) End() time.Duration { return f.At + f.Rest }

// The phases that a fault's requests are reported in, apart from those of the
// scenario. Neither is judged but by targets that name it.
const (
	During     = "fault"      // from the fault until it is undone
	Recovering = "recovering" // as long after it as recovery may take
)

// The facts of a run with faults; targets knows them as metrics.
const (
	RecoveryFact = "fault.recovery"
	LeakedFact   = "fault.leaked"
)

// Check finds faults that a scenario, at its pace, ends before, or leaves no
// time to recover from.
func Check(faults []Fault, sc *scenarios.Scenario, pace string, spare time.Duration) error {
	var errs []error
	load := sc.At(pace)
	for _, f := range faults {
		if over := f.End() + spare; f.At >= load.Total() {
			errs = append(errs, fmt.Errorf("--fault %s: scenario %s ends at %s (%s pace)", f.Text, sc.Name, load.Total(), pace))
		} else if over > load.Total() {
			errs = append(errs, fmt.Errorf("--fault %s: scenario %s ends at %s (%s pace), and with %s to recover in it needs to go on until %s", f.Text, sc.Name, load.Total(), pace, spare, over))
		}
	}
	for _, p := range load.Phases() {
		if len(faults) > 0 && (p.Name == During || p.Name == Recovering) {
			errs = append(errs, fmt.Errorf("scenario %s has a phase %q, which is what a fault's window is called: rename it", sc.Name, p.Name))
		}
	}
	return errors.Join(errs...)
}
