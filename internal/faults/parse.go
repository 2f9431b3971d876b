package faults

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vitals/internal/stack"
	"vitals/internal/strict"
)

// undoing is each action's way back.
var undoing = map[stack.Action]stack.Action{stack.Stop: stack.Start, stack.Kill: stack.Start, stack.Pause: stack.Unpause}

// partsOf are the parts of the container stack that a fault may name.
func partsOf(replicas int) []string {
	parts := []string{"redis", "postgres", "api"}
	for n := 2; n <= replicas; n++ {
		parts = append(parts, fmt.Sprintf("api-%d", n))
	}
	return parts
}

// Parse reads every --fault and tells all that is wrong with them.
func Parse(texts []string, replicas int) ([]Fault, error) {
	var faults []Fault
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
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	for i, f := range faults {
		for _, later := range faults[i+1:] {
			if later.Part == f.Part && later.At <= f.End() {
				errs = append(errs, fmt.Errorf("--fault %s: %s is still away from --fault %s, until %s", later.Text, f.Part, f.Text, f.End()))
			}
		}
	}
	return faults, errors.Join(errs...)
}

// parseFault reads PART:ACTION@AT+FOR.
func parseFault(text string, replicas int) (f Fault, wrongs []string) {
	wrong := func(format string, args ...any) { wrongs = append(wrongs, fmt.Sprintf(format, args...)) }
	part, rest, ok := strings.Cut(text, ":")
	action, when, ok2 := strings.Cut(rest, "@")
	if !ok || !ok2 {
		return f, []string{"want PART:ACTION@AT+FOR, as in redis:stop@10s+5s"}
	}
	f = Fault{Text: text, Part: part, Do: stack.Action(action), Undo: undoing[stack.Action(action)]}
	if parts := partsOf(replicas); !slices.Contains(parts, part) {
		hint := strict.Hint(part, parts)
		if slices.Contains(partsOf(16), part) {
			hint = "start it with --replicas " + strings.TrimPrefix(part, "api-")
		}
		wrong("no part %q (%s)", part, hint)
	}
	if f.Undo == "" {
		var known []string
		for a := range undoing {
			known = append(known, string(a))
		}
		hint := strict.Hint(action, known)
		if undone := slices.Collect(maps.Values(undoing)); slices.Contains(undone, f.Do) {
			hint = "it is done when +FOR is over"
		}
		wrong("no action %q (%s)", action, hint)
	}
	at, length, lasts := strings.Cut(when, "+")
	var err error
	if f.At, err = time.ParseDuration(at); err != nil || f.At < 0 {
		wrong("%q after @: want a time from the run's start, as in 10s", at)
	}
	switch f.Rest, err = time.ParseDuration(length); {
	case lasts && (err != nil || f.Rest <= 0):
		wrong("%q after +: want how long it lasts, above 0, as in 5s", length)
	case !lasts && f.Do != stack.Kill && f.Undo != "":
		wrong("%s needs +FOR, how long it lasts, as in %s+5s", action, text)
	}
	return f, wrongs
}
