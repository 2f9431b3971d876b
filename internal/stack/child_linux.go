package stack

import "syscall"

// childAttr puts the child in a group of its own, so that a Ctrl-C reaches only
// us and the child drains when we say so; should we die, the kernel ends it.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
