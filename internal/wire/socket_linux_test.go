package wire

import (
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vitals/internal/measure"
)

// A listener whose queue is full neither refuses nor accepts.
func TestTimeoutWhileConnecting(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)}
	for range 3 { // what does not fit into the queue is dropped by the kernel
		if c, err := net.DialTimeout("tcp", base.Host, 50*time.Millisecond); err == nil {
			defer c.Close()
		}
	}
	for name, d := range doers(t, base) {
		t.Run(name, func(t *testing.T) {
			c := get("/")
			c.Timeout = 150 * time.Millisecond
			d.Do(t.Context(), c)
			if c.Class != measure.TimeoutConnect {
				t.Errorf("got class %s (%v), want timeout while connecting", c.Class, c.Err)
			}
		})
	}
}
