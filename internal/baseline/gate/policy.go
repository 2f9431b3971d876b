package gate

import (
	"errors"
	"slices"

	"vitals/internal/baseline"
	"vitals/internal/exit"
)

// Policy is what an undecided comparison is to the one who asks.
type Policy string

// What an undecided comparison may be, and Words that say so in a help.
const (
	Pass Policy = "pass"
	Warn Policy = "warn"
	Fail Policy = "fail"

	Words = "pass (exit 0), warn (exit 0, and 3 when a change beyond the tolerance awaits a duet), fail (exit 3)"
)

// String, Set and Type make it a flag.
func (p *Policy) String() string { return string(*p) }

// Type is how --help names the value.
func (p *Policy) Type() string { return "pass|warn|fail" }

// Set refuses any other word.
func (p *Policy) Set(text string) error {
	v := Policy(text)
	if !slices.Contains([]Policy{Pass, Warn, Fail}, v) {
		return errors.New("want pass, warn or fail")
	}
	*p = v
	return nil
}

// Exit is the exit code of a comparison.
func (p Policy) Exit(v baseline.Overall) int {
	switch {
	case v == baseline.OverallWorse:
		return exit.Fail
	case v == baseline.OverallNotCompared, v == baseline.OverallInvalid:
		return exit.NoAnswer
	case v == baseline.OverallConfirm && p != Pass, v == baseline.OverallInconclusive && p == Fail:
		return exit.NoAnswer
	}
	return exit.Pass
}
