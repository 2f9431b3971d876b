//go:build unix && !linux

package local

import "syscall"

// childAttr puts the child in a group of its own, so that a Ctrl-C reaches only
// us and the child drains when we say so.
func childAttr(a *account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: a.credential()}
}
