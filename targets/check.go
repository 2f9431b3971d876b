package targets

import (
	"fmt"
	"slices"

	"vitals/internal/strict"
)

// Scope is what a scenario has that a sentence may name.
type Scope struct {
	Scenario string
	Steps    []string // of honest users
	Phases   []string
}

// Asked tells whether the sentence is asked of the scenario.
func (t Target) Asked(scenario string) bool {
	return (len(t.Only) == 0 || slices.Contains(t.Only, scenario)) && !slices.Contains(t.Except, scenario)
}

// Check finds sentences that a scenario can never answer: an unknown step or
// phase, or a window (that is for abort rules). nil when there is none; else
// strict.Errors with each sentence's place and the nearest right spelling.
func Check(ts []Target, in Scope) error {
	var errs strict.Errors
	for _, t := range ts {
		if !t.Asked(in.Scenario) {
			continue
		}
		errs = append(errs, t.names(in)...)
		if t.For > 0 {
			errs = append(errs, t.fail("windows are for abort", "%q: a target is judged over the whole window, not for %s", t.Text, t.For))
		}
	}
	return errs.Err()
}

// CheckAbort finds abort rules that can never trip; like Check.
func CheckAbort(ts []Target, in Scope) error {
	var errs strict.Errors
	for _, t := range ts {
		errs = append(errs, t.names(in)...)
		m := metrics[t.Metric]
		switch {
		case !m.live:
			errs = append(errs, t.fail(strict.Hint("", live()), "%q: %s is not known before the run's end", t.Text, t.Metric))
		case t.Step != "" && t.Metric != "p95":
			errs = append(errs, t.fail("of one step only p95 is known during the run", "%q cannot end a run", t.Text))
		case t.During != "":
			errs = append(errs, t.fail("leave it out", "%q: an abort rule watches the last seconds, not a phase", t.Text))
		}
	}
	return errs.Err()
}

// CheckOnly finds sentences that are asked of a scenario nobody knows: they would
// never be judged, and silence must not pass. known are the built-in scenarios
// and those of the run.
func CheckOnly(ts []Target, known []string) error {
	var errs strict.Errors
	for _, t := range ts {
		for _, name := range slices.Concat(t.Only, t.Except) {
			if !slices.Contains(known, name) {
				word := "only"
				if slices.Contains(t.Except, name) {
					word = "except"
				}
				errs = append(errs, t.fail(strict.Hint(name, known), "%q: %s names %q, which is no scenario of this run and not built in", t.Text, word, name))
			}
		}
	}
	return errs.Err()
}

func (t Target) names(in Scope) (errs strict.Errors) {
	if t.Step != "" && !slices.Contains(in.Steps, t.Step) {
		errs = append(errs, t.fail(strict.Hint(t.Step, in.Steps), "%q: scenario %s has no step %q", t.Text, in.Scenario, t.Step))
	}
	if t.During != "" && !slices.Contains(in.Phases, t.During) {
		errs = append(errs, t.fail(strict.Hint(t.During, in.Phases), "%q: scenario %s has no phase %q", t.Text, in.Scenario, t.During))
	}
	return errs
}

func (t Target) fail(hint, format string, args ...any) *strict.Error {
	return &strict.Error{File: t.File, Line: t.Line, Col: t.Col, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// live are the metrics that the live slices have.
func live() (names []string) {
	for _, name := range Metrics() {
		if metrics[name].live {
			names = append(names, name)
		}
	}
	return names
}
