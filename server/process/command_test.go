package process

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/server"
)

// serveVars are a test environment on SQLite and free ports.
func serveVars(t *testing.T) map[string]string {
	return map[string]string{
		"ENV": "test", "HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "127.0.0.1:0",
		"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "clinic.db"), "SHUTDOWN_DRAIN_DELAY": "0",
		"SECRET_KEY": "canary-9fK2mQx7ZtLw4RsVn8Yc3Hj6Pd1Ga5Eu", "LOG_FORMAT": "json",
	}
}

func TestServeRefusesABadConfiguration(t *testing.T) {
	vars := serveVars(t)
	vars["RATE_LIMIT_LOGIN"], vars["PORT"] = "canary", "70000"
	var out bytes.Buffer
	for name, err := range map[string]error{
		"serve":  Command{Env: vars, Out: &out, Err: &out}.Serve(t.Context(), ""),
		"config": (Command{Env: vars, Out: &out, Err: &out}).PrintConfig(false),
		"check":  (Command{Env: vars}).Check(t.Context()),
	} {
		if exit.Code(err) != exit.Config {
			t.Errorf("%s: got exit code %d (%v), want %d", name, exit.Code(err), err, exit.Config)
		}
		if text := err.Error(); !strings.Contains(text, "RATE_LIMIT_LOGIN") || !strings.Contains(text, "PORT") || strings.Contains(text, "canary") {
			t.Errorf("%s: got %q, want both variables named and no value", name, text)
		}
	}
}

func TestServeConfigIsRedacted(t *testing.T) {
	vars := serveVars(t)
	vars["RATE_LIMIT_API"] = "1000"
	var out bytes.Buffer
	if err := (Command{Env: vars, Out: &out, Err: &out}).PrintConfig(true); err != nil {
		t.Fatal(err)
	}
	var d server.Description
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Deviations) != 1 || d.Deviations[0].Variable != "RATE_LIMIT_API" {
		t.Errorf("got deviations %v, want the raised limit", d.Deviations)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a secret is printed: %s", out.String())
	}
}

// Serve, ask, seed beside it, check, end.
func TestServeFromSeedToEnd(t *testing.T) {
	vars := serveVars(t)
	if code := exit.Code((Command{Env: vars, Out: new(bytes.Buffer)}).Seed(t.Context(), 3)); code != exit.Usage {
		t.Errorf("seed without a password: got exit code %d, want %d", code, exit.Usage)
	}
	var out bytes.Buffer
	vars[SeedPassword] = "a-password-of-tests"
	if err := (Command{Env: vars, Out: &out}).Seed(t.Context(), 3); err != nil || !strings.Contains(out.String(), "3 of them patients") {
		t.Fatalf("seed: got %q, %v", out.String(), err)
	}

	free, err := net.Listen("tcp", "127.0.0.1:0") // check reads the port from the environment
	if err != nil {
		t.Fatal(err)
	}
	_, vars["PORT"], _ = net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	if code := exit.Code((Command{Env: vars}).Check(t.Context())); code != exit.NoSystem {
		t.Errorf("check before: got exit code %d, want %d", code, exit.NoSystem)
	}
	ready := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Command{Env: vars, Out: new(bytes.Buffer)}.Serve(ctx, ready) }()
	var at Ready
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(ready); err == nil {
			if err := json.Unmarshal(text, &at); err != nil {
				t.Fatal(err)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no ready file after 20 s")
		}
	}
	if at.PID != os.Getpid() || !strings.HasSuffix(at.Addr, ":"+vars["PORT"]) || at.Admin == "" {
		t.Errorf("got ready file %+v", at)
	}
	if err := (Command{Env: vars}).Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("serve: got %v, want nil after its end", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestServeSentryTestAsksTwice(t *testing.T) {
	vars := serveVars(t)
	if err := (Command{Env: vars, Out: io.Discard}).SentryTest(t.Context()); err == nil || !strings.Contains(err.Error(), "SENTRY_SEND_TEST=1") {
		t.Errorf("got %v, want the variable to set", err)
	}
	vars["SENTRY_SEND_TEST"] = "1"
	if err := (Command{Env: vars, Out: io.Discard}).SentryTest(t.Context()); err == nil || !strings.Contains(err.Error(), "SENTRY_DSN is unset") {
		t.Errorf("got %v, want the missing DSN", err)
	}
}
