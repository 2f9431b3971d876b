// Package strict reads YAML that people write: every mistake at once, each with
// its place, what was found, what was expected and the nearest right spelling.
// It is shared by the readers of scenarios and of targets, and knows nothing of
// either.
package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in a file, at the place where it was made.
type Error struct {
	File      string
	Line, Col int    // from 1; 0 when the whole file is meant
	Msg       string // what was found and what was expected
	Hint      string // the way out; "" when Msg says it all
}

// Error is "file:line:col: message (hint)".
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Col)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Errors are all mistakes of one reading, in the order of the files' lines.
type Errors []*Error

// told is how many mistakes are told; a file with more has one cause for most.
const told = 50

// Error has one line for each mistake; of more than fifty, how many more there are.
func (es Errors) Error() string {
	lines := make([]string, 0, len(es))
	for i, e := range es {
		if i == told {
			lines = append(lines, fmt.Sprintf("… and %d more mistakes", len(es)-told))
			break
		}
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the mistakes to errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Err is nil when there are none, else the errors in the order of their places.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	slices.SortStableFunc(es, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return es
}
