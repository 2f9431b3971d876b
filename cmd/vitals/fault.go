package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/internal/strict"
	"vitals/scenarios"
	"vitals/targets"
)

// fault is one --fault: what is done to a part of the stack, when, and for how
// long. It is done anew in every scenario, at an offset from the run's start.
type fault struct {
	text     string
	part     string
	do, undo stack.Action
	at, rest time.Duration // rest 0: undone at once
}

func (f fault) end() time.Duration { return f.at + f.rest }

// undoing is each action's way back.
var undoing = map[stack.Action]stack.Action{stack.Stop: stack.Start, stack.Kill: stack.Start, stack.Pause: stack.Unpause}

// The phases that a fault's requests are reported in, apart from those of the
// scenario. Neither is judged but by sentences that name it.
const (
	faulty     = "fault"      // from the fault until it is undone
	recovering = "recovering" // as long after it as recovery may take
)

// faultTargets are asked of a run with faults, where no sentence of the user's
// says what is good enough: a lockout that gives way to a fault is none.
var faultTargets = []string{leakedFact + " == 0", recoveryFact + " < 5s"}

// impliedTargets adds them.
func impliedTargets(ts []targets.Target) []targets.Target {
	for _, text := range faultTargets {
		t, err := targets.Parse(text)
		if err != nil {
			panic("vitals: " + err.Error()) // a constant, held by a test
		}
		if !slices.ContainsFunc(ts, func(other targets.Target) bool { return other.Metric == t.Metric }) {
			ts = append(ts, t)
		}
	}
	return ts
}

// partsOf are the parts of the container stack that a fault may name.
func partsOf(replicas int) []string {
	parts := []string{"redis", "postgres", "api"}
	for n := 2; n <= replicas; n++ {
		parts = append(parts, fmt.Sprintf("api-%d", n))
	}
	return parts
}

// parseFaults reads every --fault and tells all that is wrong with them.
func parseFaults(texts []string, replicas int) ([]fault, error) {
	var faults []fault
	var errs []error
	for _, text := range texts {
		f, wrongs := parseFault(text, replicas)
		for _, wrong := range wrongs {
			errs = append(errs, fmt.Errorf("--fault %s: %s", text, wrong))
		}
		if wrongs == nil {
			faults = append(faults, f)
		}
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return cmp.Compare(a.at, b.at) })
	for i, f := range faults {
		for _, later := range faults[i+1:] {
			if later.part == f.part && later.at <= f.end() {
				errs = append(errs, fmt.Errorf("--fault %s: %s is still away from --fault %s, until %s", later.text, f.part, f.text, f.end()))
			}
		}
	}
	return faults, errors.Join(errs...)
}

// parseFault reads PART:ACTION@AT+FOR.
func parseFault(text string, replicas int) (f fault, wrongs []string) {
	wrong := func(format string, args ...any) { wrongs = append(wrongs, fmt.Sprintf(format, args...)) }
	part, rest, ok := strings.Cut(text, ":")
	action, when, ok2 := strings.Cut(rest, "@")
	if !ok || !ok2 {
		return f, []string{"want PART:ACTION@AT+FOR, as in redis:stop@10s+5s"}
	}
	f = fault{text: text, part: part, do: stack.Action(action), undo: undoing[stack.Action(action)]}
	if parts := partsOf(replicas); !slices.Contains(parts, part) {
		hint := strict.Hint(part, parts)
		if slices.Contains(partsOf(16), part) {
			hint = "start it with --replicas " + strings.TrimPrefix(part, "api-")
		}
		wrong("no part %q (%s)", part, hint)
	}
	if f.undo == "" {
		var known []string
		for a := range undoing {
			known = append(known, string(a))
		}
		hint := strict.Hint(action, known)
		if undone := slices.Collect(maps.Values(undoing)); slices.Contains(undone, f.do) {
			hint = "it is done when +FOR is over"
		}
		wrong("no action %q (%s)", action, hint)
	}
	at, length, lasts := strings.Cut(when, "+")
	var err error
	if f.at, err = time.ParseDuration(at); err != nil || f.at < 0 {
		wrong("%q after @: want a time from the run's start, as in 10s", at)
	}
	switch f.rest, err = time.ParseDuration(length); {
	case lasts && (err != nil || f.rest <= 0):
		wrong("%q after +: want how long it lasts, above 0, as in 5s", length)
	case !lasts && f.do != stack.Kill && f.undo != "":
		wrong("%s needs +FOR, how long it lasts, as in %s+5s", action, text)
	}
	return f, wrongs
}

// checkFaults finds faults that a scenario, at its pace, ends before, or leaves no
// time to recover from.
func checkFaults(faults []fault, sc *scenarios.Scenario, pace string, spare time.Duration) error {
	var errs []error
	load := sc.At(pace)
	for _, f := range faults {
		if over := f.end() + spare; f.at >= load.Total() {
			errs = append(errs, fmt.Errorf("--fault %s: scenario %s ends at %s (%s pace)", f.text, sc.Name, load.Total(), pace))
		} else if over > load.Total() {
			errs = append(errs, fmt.Errorf("--fault %s: scenario %s ends at %s (%s pace), and with %s to recover in it needs to go on until %s", f.text, sc.Name, load.Total(), pace, spare, over))
		}
	}
	for _, p := range load.Phases() {
		if len(faults) > 0 && (p.Name == faulty || p.Name == recovering) {
			errs = append(errs, fmt.Errorf("scenario %s has a phase %q, which is what a fault's window is called: rename it", sc.Name, p.Name))
		}
	}
	return errors.Join(errs...)
}

// recoveryAllowed is how long the sentences asked of the scenario let recovery
// take: so long after a fault's end, requests are not held to an ordinary day's
// targets.
func recoveryAllowed(ts []targets.Target, scenario string) time.Duration {
	var longest time.Duration
	for _, t := range ts {
		if t.Metric == recoveryFact && strings.HasPrefix(t.Op, "<") && t.Asked(scenario) {
			longest = max(longest, time.Duration(t.Limit))
		}
	}
	return longest
}

// withFaults cuts the faults' windows, and what follows them, out of the phases.
func withFaults(phases []measure.Phase, faults []fault, spare time.Duration) []measure.Phase {
	cuts := map[time.Duration]bool{}
	for _, f := range faults {
		cuts[f.at], cuts[f.end()], cuts[f.end()+spare] = true, true, true
	}
	var out []measure.Phase
	for _, p := range phases {
		inside := slices.Sorted(maps.Keys(cuts))
		inside = slices.DeleteFunc(inside, func(at time.Duration) bool { return at <= p.From || at >= p.To })
		from := p.From
		for _, to := range append(inside, p.To) {
			part := measure.Phase{Name: p.Name, From: from, To: to, Judged: p.Judged}
			for _, f := range faults {
				if f.at <= from && from < f.end() {
					part.Name, part.Judged = faulty, false
				} else if f.end() <= from && from < f.end()+spare && part.Name != faulty {
					part.Name, part.Judged = recovering, false
				}
			}
			if last := len(out) - 1; last >= 0 && out[last].Name == part.Name && out[last].Judged == part.Judged && part.Name != p.Name {
				out[last].To = part.To
			} else {
				out = append(out, part)
			}
			from = to
		}
	}
	return out
}
