package limit

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a real redis-server of our own, on a free port of this machine. It
// keeps nothing on disk, unless the test says so.
type server struct {
	t    testing.TB
	args []string
	url  string
	cmd  *exec.Cmd
}

// startServer starts one, or skips the test loudly.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	binary := os.Getenv("VITALS_TEST_REDIS")
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("redis-server"); err != nil {
			t.Skip("NOT TESTED against a real Redis: no redis-server on PATH and VITALS_TEST_REDIS unset; install the Debian package redis-server")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	s := &server{t: t, url: "redis://127.0.0.1:" + port, args: append([]string{
		binary, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--daemonize", "no",
	}, args...)}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	c := s.client()
	defer c.Close()
	for end := time.Now().Add(10 * time.Second); c.Ping(s.t.Context()).Err() != nil; {
		if time.Now().After(end) {
			s.t.Fatal("redis-server does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *server) client() *redis.Client {
	opt, err := redis.ParseURL(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	return redis.NewClient(opt)
}

func (s *server) signal(sig syscall.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Errorf("signal redis-server: %v", err)
	}
}

// kill is kill -9, once.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		s.signal(syscall.SIGKILL)
		_ = s.cmd.Wait()
	}
}

// stop is an orderly end.
func (s *server) stop() {
	s.signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}
