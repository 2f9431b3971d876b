package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/targets"
)

// The facts of a run with faults; targets knows them as metrics.
const (
	recoveryFact = "fault.recovery"
	leakedFact   = "fault.leaked"
)

// engineTime bounds one action on a part of the stack.
const engineTime = 30 * time.Second

// outage is a fault as it was really done.
type outage struct {
	fault
	began, over time.Duration // offsets from the run's start; over 0 = it was not undone
	err         error
	assault     assault
}

// faulted does the run's faults beside the load, attacks the lockout meanwhile,
// and undoes them whatever happens: at their end, at the run's, on a panic.
func (o *outing) faulted() companion {
	return companion{
		before: func(*load.Options) {
			for _, f := range o.p.faults {
				o.outages = append(o.outages, outage{fault: f, assault: o.assault(f)})
			}
		},
		beside: func(ctx context.Context, began time.Time) error {
			var all sync.WaitGroup
			for i := range o.outages {
				all.Go(func() { o.endure(ctx, began, &o.outages[i]) })
				all.Go(func() { o.outages[i].assault.carryOut(ctx, began) })
			}
			all.Wait()
			return nil
		},
		after: func(run *report.Run) {
			if len(o.outages) > 0 {
				o.weigh(run)
			}
		},
	}
}

// endure does one fault and undoes it. What undoes it has a time of its own: it
// must happen when the run's has ended.
func (o *outing) endure(ctx context.Context, began time.Time, out *outage) {
	act := func(a stack.Action) error {
		o.say(fmt.Sprintf("fault: %s %s", a, out.part))
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineTime)
		defer cancel()
		return o.st.Fault(ctx, out.part, a)
	}
	if !waitUntil(ctx, began.Add(out.at)) {
		out.err = errors.New("the run ended before it")
		return
	}
	out.began = time.Since(began)
	defer func() {
		err := act(out.undo)
		switch {
		case err == nil:
			out.over = time.Since(began)
		case out.err == nil: // else the fault itself did not work, and there is nothing to undo
			out.err = fmt.Errorf("it is not undone: %w", err)
		}
	}()
	if out.err = act(out.do); out.err == nil {
		waitUntil(ctx, began.Add(out.end()))
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

// weigh puts what was done, and what came of it, into the run.
func (o *outing) weigh(run *report.Run) {
	res := run.Result
	for _, out := range o.outages {
		f := report.Fault{Part: out.part, Action: string(out.do), At: out.began}
		if out.over > 0 {
			f.Took = out.over - out.began
		}
		if out.err != nil {
			f.At, f.Error = max(out.began, out.at), out.err.Error()
			res.Health.Invalid = append(res.Health.Invalid, fmt.Sprintf("fault %s did not go as planned: %v", out.text, out.err))
		}
		run.Faults = append(run.Faults, f)
	}
	if fact, ok := recoveryOf(res, o.outages, o.spare); ok {
		res.Facts = append(res.Facts, fact)
	} else {
		res.Notes = append(res.Notes, "how long recovery from the faults takes was not measured: the run did not go on long enough after them")
	}
	if fact, ok := o.leaked(); ok {
		res.Facts = append(res.Facts, fact)
	}
	res.Notes = append(res.Notes, o.faultNotes(res)...)
}

// faultNotes say what was seen inside the windows, and that nothing judges it
// where nothing does.
func (o *outing) faultNotes(res *measure.Result) []string {
	var in measure.StepResult
	for _, p := range res.Phases {
		for _, s := range p.Steps {
			if p.Name == faulty && !s.Step.Intruder {
				in.Merge(s)
			}
		}
	}
	var notes []string
	if c := in.Counts; c.Sent > 0 {
		note := fmt.Sprintf("%d requests were due while a part was away: %d served, %d refused, %d failed; they are in the phase %q and in no figure of the judged window", c.Sent, c.Served, c.Refused, c.Failed, faulty)
		asked := func(t targets.Target) bool { return t.During == faulty && t.Asked(o.sc.Name) }
		if !slices.ContainsFunc(slices.Concat(o.p.targets, o.sc.Targets), asked) {
			note += fmt.Sprintf(", and no target judges them: write one as in errors < 1%% during %s", faulty)
		}
		notes = append(notes, note)
	}
	if codes := meanwhile(res); codes != "" {
		notes = append(notes, "guesses while a part was away were answered "+codes)
	}
	if len(o.aside) > 0 {
		notes = append(notes, fmt.Sprintf("%d of the scenario's intruders worked while Redis was away: %s judges them, not lockout.admitted", len(o.aside), leakedFact))
	}
	if n := len(o.st.Replicas); n > 1 {
		notes = append(notes, fmt.Sprintf("the load is spread over %d replicas, each user staying with one, and no balancer leads it round a dead one; the guesses beside a fault go to each of them", n))
	}
	return notes
}

// steady is how many slices in a row without an error are a recovery.
const steady = 3

// recoveryOf is the longest time from a fault's end to the first slice of the
// series from which on requests went as expected again: three slices in a row, or
// all that there are before the next fault. The precision is one slice. A run that
// ended outside has its whole rest, if that is as long as recovery may take.
func recoveryOf(res *measure.Result, outages []outage, spare time.Duration) (measure.Fact, bool) {
	fact := measure.Fact{Name: recoveryFact, Unit: "s", Value: -1}
	for i, out := range outages {
		until := res.Took
		covered := out.over == 0
		for k, other := range outages {
			if k == i || other.over == 0 {
				continue
			}
			covered = covered || other.began <= out.over && other.over > out.over // recovery counts from the last end
			if other.began > out.over {
				until = min(until, other.began)
			}
		}
		if covered {
			continue
		}
		took, n, back := quietAfter(res.Series, out.over, until)
		if !back {
			if took = until - out.end(); took < spare {
				return fact, false
			}
			fact.Note = fmt.Sprintf("still not as expected %s after %s; ", took.Round(time.Second), out.text)
		}
		fact.Value, fact.N = max(fact.Value, took.Seconds()), fact.N+n
	}
	fact.Note += fmt.Sprintf("from a fault's end until requests went as expected again, to the slice of %s", res.Series.Every)
	return fact, fact.N > 0
}

// quietAfter looks for the first of steady slices without an error after an
// offset; slices in which nothing was sent are passed over.
func quietAfter(s measure.Series, from, until time.Duration) (took time.Duration, n int64, back bool) {
	row := 0
	for _, sl := range s.Slices {
		if sl.At+s.Every <= from || sl.At >= until || sl.Counts.Sent == 0 {
			continue
		}
		n += sl.Counts.Sent
		if sl.Counts.Errors > 0 {
			row = 0
			continue
		}
		if row++; row == 1 {
			took = max(0, sl.At-from)
		}
		if row == steady {
			break
		}
	}
	return took, n, row > 0
}
