//go:build !linux

package wire

import (
	"net"
	"syscall"
)

func control(_, _ string, _ syscall.RawConn) error { return nil }

// liveness cannot be asked cheaply here: a connection that the server has closed
// shows as class ResetReused.
func liveness(net.Conn) func() bool { return func() bool { return true } }

func writer(nc net.Conn) func(b []byte) error {
	return func(b []byte) error {
		_, err := nc.Write(b)
		return err
	}
}
