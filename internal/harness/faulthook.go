package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"vitals/internal/faults"
	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// faultHook does the run's faults beside the load, attacks the lockout meanwhile,
// and undoes them whatever happens.
type faultHook struct {
	*attackers
	faults []faults.Fault
	spare  time.Duration    // how long recovery may take
	asked  []targets.Target // of the scenario
	say    func(string)

	outages []faults.Outage
	attacks []faultAttack      // one for each outage
	aside   []intruders.Attack // the scenario's, judged by the fault's own rule
}

func (h *faultHook) Before(context.Context, *load.Options) {
	for _, f := range h.faults {
		h.outages = append(h.outages, faults.Outage{Fault: f})
		h.attacks = append(h.attacks, h.newFaultAttack(f))
	}
}

func (h *faultHook) During(ctx context.Context, began time.Time) error {
	var all sync.WaitGroup
	for i := range h.outages {
		all.Go(func() { h.outages[i].Do(ctx, began, h.st.Fault, h.say) })
		all.Go(func() { h.attacks[i].carryOut(ctx, began) })
	}
	all.Wait()
	return nil
}

// After puts what was done, and what came of it, into the run.
func (h *faultHook) After(_ context.Context, run *report.Run) {
	if len(h.outages) == 0 {
		return
	}
	res := run.Result
	for _, out := range h.outages {
		f := report.Fault{Part: out.Part, Action: string(out.Fault.Do), At: out.Began}
		if out.Over > 0 {
			f.Took = out.Over - out.Began
		}
		if out.Err != nil {
			f.At, f.Error = max(out.Began, out.At), out.Err.Error()
			res.Health.Invalid = append(res.Health.Invalid, fmt.Sprintf("fault %s did not go as planned: %v", out.Text, out.Err))
		}
		run.Faults = append(run.Faults, f)
	}
	if fact, ok := faults.Recovery(res, h.outages, h.spare); ok {
		res.Facts = append(res.Facts, fact)
	} else {
		res.Notes = append(res.Notes, "how long recovery from the faults takes was not measured: the run did not go on long enough after them")
	}
	if fact, ok := h.leaked(); ok {
		res.Facts = append(res.Facts, fact)
	}
	res.Notes = append(res.Notes, h.faultNotes(res)...)
}

// faultNotes say what was seen inside the windows, and that nothing judges it
// where nothing does.
func (h *faultHook) faultNotes(res *measure.Result) []string {
	var in measure.StepResult
	for _, p := range res.Phases {
		for _, s := range p.Steps {
			if p.Name == faults.During && !s.Step.Intruder {
				in.Merge(s)
			}
		}
	}
	var notes []string
	if c := in.Counts; c.Sent > 0 {
		note := fmt.Sprintf("%d requests were due while a part was away: %d served, %d refused, %d failed; they are in the phase %q and in no figure of the judged window", c.Sent, c.Served, c.Refused, c.Failed, faults.During)
		asked := func(t targets.Target) bool { return t.During == faults.During && t.Asked(h.sc.Name) }
		if !slices.ContainsFunc(h.asked, asked) {
			note += fmt.Sprintf(", and no target judges them: write one as in errors < 1%% during %s", faults.During)
		}
		notes = append(notes, note)
	}
	if codes := meanwhile(res); codes != "" {
		notes = append(notes, "guesses while a part was away were answered "+codes)
	}
	if len(h.aside) > 0 {
		notes = append(notes, fmt.Sprintf("%d of the scenario's intruders worked while Redis was away: %s judges them, not lockout.admitted", len(h.aside), faults.LeakedFact))
	}
	if n := len(h.st.Replicas); n > 1 {
		notes = append(notes, fmt.Sprintf("the load is spread over %d replicas, each user staying with one, and no balancer leads it round a dead one; the guesses beside a fault go to each of them", n))
	}
	return notes
}
