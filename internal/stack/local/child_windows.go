package local

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// childAttr puts the child in a group of its own, so that a Ctrl-C reaches only us.
func childAttr(*account, syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func freeze(*os.Process) error { return errors.ErrUnsupported }
func thaw(*os.Process) error   { return nil } // nothing was frozen

// lock takes the file for this process, until it closes the file or ends in any
// way. It does not wait: taken is false when another process has it.
func lock(f *os.File) (taken bool, err error) {
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
