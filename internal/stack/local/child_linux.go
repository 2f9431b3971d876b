package local

import "syscall"

// childAttr puts the child in a group of its own, so that a Ctrl-C reaches only
// us and the child drains when we say so; should we die, the kernel sends it last.
func childAttr(a *account, last syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: last, Credential: a.credential()}
}
