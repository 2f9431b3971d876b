// Package exit is how a command ends: its exit codes, the errors that carry one, and
// the signals that end it early.
package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// The exit codes are part of the interface: in every help, in the README, held by tests.
const (
	Pass        = 0
	Fail        = 1
	Usage       = 2
	NoAnswer    = 3
	NoSystem    = 4
	Config      = 78 // EX_CONFIG of sysexits, which supervisors know not to retry
	Interrupted = 130
)

// Table explains the codes in a command's help.
const Table = `Exit codes:
  0    pass
  1    fail: a target missed, or worse than the baseline
  2    usage: wrong flags; an unreadable or invalid scenario, target or baseline file
  3    no honest answer: invalid measurement, no data, not comparable, or a probe skipped
  4    the system under test could not be started or reached
  13-16  vitals run --member only: told to stop, late or replaced, the others did not come, another plan
  130  interrupted: what was measured so far is written, marked partial
  78   vitals serve only: the configuration is refused`

// Error is why a command did not pass, with its exit code. A nil Err means that
// everything was said already, by the report.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode is the code that the program ends with.
func (e *Error) ExitCode() int { return e.Code }

// With gives err an exit code; nil stays nil.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{code, err}
}

// Errorf is a new error with an exit code.
func Errorf(code int, format string, args ...any) error {
	return &Error{code, fmt.Errorf(format, args...)}
}

// Said is an end of which everything was said already; nil for Pass.
func Said(code int) error {
	if code == Pass {
		return nil
	}
	return &Error{Code: code}
}

// Code is the exit code of what a command returned. An error that nobody gave a
// code is no answer: it may be a failed write of the answer.
func Code(err error) int {
	if err == nil {
		return Pass
	}
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return NoAnswer
}

// Shown is the error of a command that does nothing but show: none where whoever read
// the answer has gone (vitals report … | head).
func Shown(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// Complaint is what is left to say about err; "" when all was said.
func Complaint(err error) string {
	var e *Error
	if err == nil || errors.As(err, &e) && e.Err == nil {
		return ""
	}
	return err.Error()
}

// Writing is the exit code of an error of rendering into a file: Usage where the file
// cannot be made at all, for its name or its folder is wrong.
func Writing(err error) int {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return Usage
	}
	return NoAnswer
}
