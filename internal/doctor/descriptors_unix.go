//go:build unix

package doctor

import "golang.org/x/sys/unix"

// descriptorLimit is how many files and connections this process may have open.
func descriptorLimit() (uint64, error) {
	var l unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l)
	return uint64(l.Cur), err
}
