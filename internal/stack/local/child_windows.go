package local

import (
	"errors"
	"os"
	"syscall"
)

// childAttr puts the child in a group of its own, so that a Ctrl-C reaches only us.
func childAttr(*account, syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func freeze(*os.Process) error { return errors.ErrUnsupported }
func thaw(*os.Process) error   { return nil } // nothing was frozen
