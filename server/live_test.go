package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/server/config"
	"vitals/server/store/storetest"
)

// live is the whole service, started by Run.
type live struct {
	Ready
	log  *logBuffer
	stop func() error // ends it, once, and gives Run's error
}

func (l *live) url() string { return "http://" + l.Addr }

// startLive runs the service until the test ends.
func startLive(t testing.TB, cfg *config.Config, env ...string) *live {
	t.Helper()
	l := &live{log: new(logBuffer)}
	file := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, cfg, Options{Log: l.log, ReadyFile: file, Version: "1.2.3", Env: env})
	}()
	var result error
	done := false
	l.stop = func() error {
		cancel()
		if !done {
			result, done = <-ended, true
		}
		return result
	}
	t.Cleanup(func() {
		if err := l.stop(); err != nil {
			t.Errorf("run: %v\n%s", err, l.log)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		text, err := os.ReadFile(file)
		if err == nil {
			if err := json.Unmarshal(text, &l.Ready); err != nil {
				t.Fatalf("ready file %q: %v", text, err)
			}
			return l
		}
		select {
		case result = <-ended:
			done = true
			t.Fatalf("the service did not start: %v\n%s", result, l.log)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the service is not ready after 30 s\n%s", l.log)
		}
	}
}

const seedSecret = "canary-7Vq2-password"

// seed fills the database with n patients.
func seed(t testing.TB, cfg *config.Config, n int) {
	t.Helper()
	if _, err := Seed(t.Context(), cfg, n, seedSecret); err != nil {
		t.Fatal(err)
	}
}

func patient(n int) string { return fmt.Sprintf("patient-%06d@clinic.test", n) }

// from is a client whose connections come from one loopback address, as another
// machine's would.
func from(t testing.TB, ip string) *http.Client {
	tr := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).DialContext}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

func login(t testing.TB, c *http.Client, url, email, password string) answer {
	t.Helper()
	return ask(t, c, "POST", url+"/api/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// accessToken signs a patient in.
func accessToken(t testing.TB, c *http.Client, url string, n int) string {
	t.Helper()
	a := login(t, c, url, patient(n), seedSecret)
	var body struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.Access == "" {
		t.Fatalf("sign in patient %d: got %d %s", n, a.StatusCode, a.body)
	}
	return body.Access
}

// eachStack runs body on SQLite with the limiter in process, and on Postgres
// with Redis, if their servers are here.
func eachStack(t *testing.T, body func(t *testing.T, vars []string)) {
	t.Run("sqlite and memory", func(t *testing.T) { body(t, nil) })
	t.Run("postgres and redis", func(t *testing.T) {
		body(t, []string{"DATABASE_URL=" + storetest.PostgresURL(t), "REDIS_URL=" + redisServer(t)})
	})
}

// redisServer starts a Redis on a unix socket until the test ends.
func redisServer(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server in PATH: install Redis 7 to run this test")
	}
	dir, err := os.MkdirTemp("", "redis-") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--maxmemory-policy", "noeviction", "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("unix", socket); err == nil {
			_ = c.Close()
			return "unix://" + socket
		}
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
}

// raw writes text to the service as it is and returns all it answers within
// patience.
func raw(t testing.TB, addr, text string, patience time.Duration) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(text)); err != nil {
		return ""
	}
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// scrape reads one value from the admin listener.
func scrape(t testing.TB, s *live, name string, labels ...string) float64 {
	t.Helper()
	a := ask(t, http.DefaultClient, "GET", "http://"+s.Admin+"/metrics", "")
	http.DefaultClient.CloseIdleConnections()
	return sample(parseMetrics(t, a.body), name, labels...)
}
