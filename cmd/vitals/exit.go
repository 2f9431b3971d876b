package main

import (
	"errors"
	"fmt"

	"vitals/internal/harness"
)

// The exit codes are part of the interface: in every help, in the README, held by tests.
const (
	exitPass        = harness.ExitPass
	exitFail        = harness.ExitFail
	exitUsage       = harness.ExitUsage
	exitNoAnswer    = harness.ExitNoAnswer
	exitNoSystem    = harness.ExitNoSystem
	exitInterrupted = harness.ExitInterrupted
)

const exitTable = `Exit codes:
  0    pass
  1    fail: a target missed, or worse than the baseline
  2    usage: wrong flags; an unreadable or invalid scenario, target or baseline file
  3    no honest answer: invalid measurement, no data, not comparable, or a probe skipped
  4    the system under test could not be started or reached
  130  interrupted: what was measured so far is written, marked partial
  78   vitals serve only: the configuration is refused`

// exit is an error that knows its exit code. An empty err means that everything
// was said already, by the report.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

func noSystem(err error) error { return &exit{exitNoSystem, err} }

// exitCode of what a command returned. An error that nobody gave a code is no
// answer: it may be a failed write of the answer.
func exitCode(err error) int {
	var e *exit
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &coded):
		return coded.ExitCode()
	}
	return exitNoAnswer
}

// complaint is what is left to say about err on stderr.
func complaint(err error) string {
	var e *exit
	if err == nil || errors.As(err, &e) && e.err == nil {
		return ""
	}
	return err.Error()
}
