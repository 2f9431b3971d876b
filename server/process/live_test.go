package process

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vitals/server"
	"vitals/server/config"
	"vitals/server/servertest"
	"vitals/server/store/storetest"
)

type (
	logBuffer = servertest.Log
	answer    = servertest.Answer
)

var (
	testConfig = servertest.Config
	ask        = servertest.Ask
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
	if _, err := server.Seed(t.Context(), cfg, n, seedSecret); err != nil {
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
	if err := json.Unmarshal([]byte(a.Text), &body); err != nil || body.Access == "" {
		t.Fatalf("sign in patient %d: got %d %s", n, a.StatusCode, a.Text)
	}
	return body.Access
}

// eachStack runs body on SQLite with the limiter in process, and on Postgres
// with Redis, if their servers are here.
func eachStack(t *testing.T, body func(t *testing.T, vars []string)) {
	t.Run("sqlite and memory", func(t *testing.T) { body(t, nil) })
	t.Run("postgres and redis", func(t *testing.T) {
		body(t, []string{"DATABASE_URL=" + storetest.PostgresURL(t), "REDIS_URL=" + servertest.Redis(t)})
	})
}

// scrape reads one value from the admin listener.
func scrape(t testing.TB, s *live, name string, labels ...string) float64 {
	t.Helper()
	a := ask(t, http.DefaultClient, "GET", "http://"+s.Admin+"/metrics", "")
	http.DefaultClient.CloseIdleConnections()
	return servertest.Sample(servertest.ParseMetrics(t, a.Text), name, labels...)
}
