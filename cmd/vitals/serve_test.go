package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/server"
	"vitals/server/process"
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
		"serve":  runServe(t.Context(), streams{Out: &out, Err: &out}, vars, ""),
		"config": runServeConfig(streams{Out: &out, Err: &out}, vars, false),
		"check":  runServeCheck(t.Context(), vars),
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
	if err := runServeConfig(streams{Out: &out, Err: &out}, vars, true); err != nil {
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
	if code := exit.Code(runServeSeed(t.Context(), streams{Out: new(bytes.Buffer)}, vars, 3)); code != exit.Usage {
		t.Errorf("seed without a password: got exit code %d, want %d", code, exit.Usage)
	}
	var out bytes.Buffer
	vars[seedPassword] = "a-password-of-tests"
	if err := runServeSeed(t.Context(), streams{Out: &out}, vars, 3); err != nil || !strings.Contains(out.String(), "3 of them patients") {
		t.Fatalf("seed: got %q, %v", out.String(), err)
	}

	free, err := net.Listen("tcp", "127.0.0.1:0") // check reads the port from the environment
	if err != nil {
		t.Fatal(err)
	}
	_, vars["PORT"], _ = net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	if code := exit.Code(runServeCheck(t.Context(), vars)); code != exit.NoSystem {
		t.Errorf("check before: got exit code %d, want %d", code, exit.NoSystem)
	}
	ready := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runServe(ctx, streams{Out: new(bytes.Buffer)}, vars, ready) }()
	var at process.Ready
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
	if err := runServeCheck(t.Context(), vars); err != nil {
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
	if err := runServeSentryTest(t.Context(), streams{}, vars); err == nil || !strings.Contains(err.Error(), "SENTRY_SEND_TEST=1") {
		t.Errorf("got %v, want the variable to set", err)
	}
	vars["SENTRY_SEND_TEST"] = "1"
	if err := runServeSentryTest(t.Context(), streams{}, vars); err == nil || !strings.Contains(err.Error(), "SENTRY_DSN is unset") {
		t.Errorf("got %v, want the missing DSN", err)
	}
}
