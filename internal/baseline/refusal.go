package baseline

import (
	"errors"

	"vitals/internal/exit"
)

// Refusal gives an exit code to why files are not compared: exit.NoAnswer for those
// that cannot be, exit.Usage for those that cannot be read.
func Refusal(err error) error {
	var no *NotComparable
	if errors.As(err, &no) {
		return exit.With(exit.NoAnswer, err)
	}
	return exit.With(exit.Usage, err)
}
