package wire

import (
	"cmp"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// control lets the kernel choose the local port at connect, by the whole
// 4-tuple: chosen at bind, one source address would run out after 28 000 sockets.
func control(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// Best effort: an old kernel without the option still works, with fewer ports.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}

// liveness returns a question that costs one system call: is the idle connection
// still open, with nothing unread?
func liveness(nc net.Conn) func() bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return func() bool { return true }
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return func() bool { return true }
	}
	var (
		b    [1]byte
		open bool
	)
	peek := func(fd uintptr) bool {
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		open = err == unix.EAGAIN
		return true
	}
	return func() bool {
		open = false
		return raw.Read(peek) == nil && open
	}
}

// writer returns the shortest way to put bytes on an open connection: without
// telling the scheduler, which would give our processor away between two writes
// of a burst. Only for what fits into an empty socket buffer.
func writer(nc net.Conn) func(b []byte) error {
	plain := func(b []byte) error {
		_, err := nc.Write(b)
		return err
	}
	sc, ok := nc.(syscall.Conn)
	if !ok { // TLS
		return plain
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return plain
	}
	return func(b []byte) (err error) {
		failed := raw.Write(func(fd uintptr) bool {
			if _, _, e := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))); e != 0 {
				err = e
			}
			return true
		})
		return cmp.Or(failed, err)
	}
}
