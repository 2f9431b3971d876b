package harness

import "fmt"

// The exit codes of a run.
const (
	ExitPass        = 0
	ExitFail        = 1
	ExitUsage       = 2
	ExitNoAnswer    = 3
	ExitNoSystem    = 4
	ExitInterrupted = 130
)

// Error is why a run could not be carried out to its end, with its exit code.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode is the code that the program ends with.
func (e *Error) ExitCode() int { return e.Code }

func fail(code int, format string, args ...any) error {
	return &Error{code, fmt.Errorf(format, args...)}
}
