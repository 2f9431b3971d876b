// Package redistest gives tests a real Redis of their own, and a way to it that
// can be made to fail.
package redistest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a redis-server that ends with its test.
type Server struct {
	URL, Addr string
	File      string // holds URL, as --rendezvous-file wants it
	process   *os.Process
}

// Start starts a redis-server; more are its own arguments. Where there is none the
// test is skipped.
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server on this machine: apt-get install redis-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	_ = l.Close()
	dir := t.TempDir()
	cmd := exec.Command(binary, append([]string{"--port", fmt.Sprint(addr.Port), "--bind", "127.0.0.1", "--save", "", "--dir", dir}, more...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &Server{URL: "redis://" + addr.String(), Addr: addr.String(), process: cmd.Process}
	s.File = URLFile(t, s.URL)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		c, err := net.Dial("tcp", s.Addr)
		if err == nil {
			_ = c.Close()
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("redis-server did not answer")
	return nil
}

// URLFile is a file that holds a URL.
func URLFile(t testing.TB, url string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "redis-url.txt")
	if err := os.WriteFile(name, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Pause freezes the server for a while: connections stay, nothing is answered.
func (s *Server) Pause(t testing.TB, d time.Duration) {
	t.Helper()
	if err := s.process.Signal(syscall.SIGSTOP); err != nil {
		t.Error(err)
	}
	time.Sleep(d)
	if err := s.process.Signal(syscall.SIGCONT); err != nil {
		t.Error(err)
	}
}

// Proxy is a way to the server that passes every answer through change, which may
// wait; an answer that is nil cuts the connection. It gives the URL of the way.
func (s *Server) Proxy(t testing.TB, change func(answer []byte) []byte) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", s.Addr)
			if err != nil {
				_ = from.Close()
				continue
			}
			go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
			go func() {
				defer from.Close()
				buf := make([]byte, 64<<10)
				for {
					n, err := to.Read(buf)
					if err != nil {
						return
					}
					answer := change(buf[:n])
					if answer == nil {
						return
					}
					if _, err := from.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	})
	return "redis://" + l.Addr().String()
}
