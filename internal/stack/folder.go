package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Folder is a temporary folder that a killed process does not leave behind for
// good: its owner holds a lock on a file in it, which ends with the process, and
// every new Folder removes those whose owner is gone. The lock lasts as long as the
// Folder can be reached: whoever uses the folder keeps the value.
type Folder struct {
	Path   string
	Memory bool // it is held in memory
	held   *os.File
}

// SharedMemory is a file system in memory that Linux has: a database there is not
// measured together with a shared disk.
const SharedMemory = "/dev/shm"

// lockName is the file that an owner holds; sweepOnce keeps a process from
// sweeping at every folder.
const lockName = ".vitals-lock"

var sweepOnce sync.Once

// NewFolder makes a folder for a use in one word, in memory where that is wanted
// and the system can.
func NewFolder(use string, memory bool) (*Folder, error) {
	sweepOnce.Do(func() {
		for _, base := range []string{SharedMemory, os.TempDir()} {
			_ = sweep(base) // what cannot be removed now is tried again by the next run
		}
	})
	pattern := "vitals-" + use + "-*"
	if memory {
		if dir, err := os.MkdirTemp(SharedMemory, pattern); err == nil {
			return hold(dir, true)
		}
	}
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	return hold(dir, false)
}

// hold takes the lock before the file has its name: whoever finds the name free
// to lock knows that the owner has ended.
func hold(dir string, memory bool) (*Folder, error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		_, err = lock(f)
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock a temporary folder: %w", err), os.RemoveAll(dir))
	}
	return &Folder{Path: dir, Memory: memory, held: f}, nil
}

// Remove removes the folder with all that is in it.
func (f *Folder) Remove() error {
	return errors.Join(f.held.Close(), os.RemoveAll(f.Path))
}

// sweep removes the folders under base whose owner is gone.
func sweep(base string) error {
	found, err := filepath.Glob(filepath.Join(base, "vitals-*-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range found {
		if abandoned(dir) {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}

// abandoned tells whether a folder was made by NewFolder and its owner has ended.
func abandoned(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return false // not a folder of ours, or not ours to remove
	}
	defer f.Close()
	taken, err := lock(f)
	return err == nil && taken
}
