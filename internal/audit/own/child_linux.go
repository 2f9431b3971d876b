package own

import "syscall"

// childAttr puts a child in a group of its own, and ends it should we die.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
