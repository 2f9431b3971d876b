package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// TakenError is a folder that another process is writing into.
type TakenError struct{ Dir string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("another run is writing into %s: wait for it, or give this one a folder of its own with --out", e.Dir)
}

// Output takes a folder for what a run writes, and makes it where there is none.
// The folder is taken until release, or until the process ends in any way; release
// removes a folder that was made here and in which nothing was left. A folder that
// another run has is a *TakenError.
func Output(dir string) (release func() error, err error) {
	_, statErr := os.Stat(dir)
	made := errors.Is(statErr, os.ErrNotExist)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for results: %w", err)
	}
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("take the folder for results: %w", err)
	}
	taken, err := lock(f)
	if err != nil || !taken {
		return nil, errors.Join(err, f.Close(), &TakenError{dir})
	}
	return func() error {
		// Removed while it is held: who opened it meanwhile has a file without a
		// name, and a lock on it that nobody else looks for. Both then write one after
		// the other, for this run is over.
		err := errors.Join(os.Remove(name), f.Close())
		if made {
			_ = os.Remove(dir) // only when nothing is in it
		}
		return err
	}, nil
}
