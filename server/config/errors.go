package config

import (
	"fmt"
	"slices"
	"strings"
)

// ExitCode is EX_CONFIG of sysexits.h: what a program that refuses its
// configuration exits with.
const ExitCode = 78

// Violation is one broken rule. It holds no value.
type Violation struct {
	Variable string `json:"variable"`
	Rule     string `json:"rule"`
}

// Errors is every rule that the environment breaks, in the order of the
// variables' table. A program that gets it exits with ExitCode.
type Errors []Violation

func (e Errors) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "configuration refused, %d problem(s):", len(e))
	for _, v := range e {
		fmt.Fprintf(&b, "\n  %s: %s", v.Variable, v.Rule)
	}
	return b.String()
}

// ExitCode is the constant ExitCode, for callers that ask errors for one.
func (Errors) ExitCode() int { return ExitCode }

// report gathers what Load finds.
type report struct {
	errors   Errors
	warnings []string
	unread   map[string]bool // variables without a usable value
}

// reject notes a variable that could not be read; rules over it are moot.
func (r *report) reject(name, rule string) {
	r.unread[name] = true
	r.errors = append(r.errors, Violation{name, rule})
}

// refuse notes a rule that a readable variable breaks.
func (r *report) refuse(name, rule string) {
	if !r.unread[name] {
		r.errors = append(r.errors, Violation{name, rule})
	}
}

// also notes a rule that a readable part of a variable breaks, whatever the rest is.
func (r *report) also(name, rule string) {
	r.errors = append(r.errors, Violation{name, rule})
}

func (r *report) warn(name, text string) {
	r.warnings = append(r.warnings, name+": "+text)
}

// err is nil or Errors, sorted by the table's order, names outside it last.
func (r *report) err(order []variable) error {
	if len(r.errors) == 0 {
		return nil
	}
	rank := func(name string) int {
		i := slices.IndexFunc(order, func(v variable) bool { return v.name == name })
		if i < 0 {
			return len(order)
		}
		return i
	}
	slices.SortStableFunc(r.errors, func(a, b Violation) int { return rank(a.Variable) - rank(b.Variable) })
	return r.errors
}
