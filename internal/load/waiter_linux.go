package load

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timer waits on a timerfd through the runtime's poller: the poller itself rounds
// waits up to a millisecond, a readable descriptor wakes it within 50 µs.
type timer struct {
	fd   int
	file *os.File
	stop func() bool
}

// newWaiter makes the precise waiter; its waits end with ctx.
func newWaiter(ctx context.Context) waiter {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return newSleeper() // out of descriptors: late, and measured to be
	}
	t := &timer{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}
	t.stop = context.AfterFunc(ctx, func() { _ = t.file.SetReadDeadline(time.Unix(1, 0)) })
	return t
}

func (t *timer) until(ctx context.Context, d time.Duration) bool {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(t.fd, 0, &spec, nil); err != nil {
		return sleep(ctx, d)
	}
	var expirations [8]byte
	_, err := t.file.Read(expirations[:])
	return err == nil && ctx.Err() == nil
}

func (t *timer) close() {
	t.stop()
	_ = t.file.Close()
}
