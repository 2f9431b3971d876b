package process

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
	"vitals/server/store/storetest"
)

const adminPassword = "canary elephant teapot 42"

// The first admin on an empty production Postgres: made, and able to sign in.
func TestAdminCreateInProduction(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0") // production refuses port 0
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	vars := map[string]string{
		"ENV": "production", "HOST": "127.0.0.1", "PORT": port, "ADMIN_ADDR": "127.0.0.1:0", "SHUTDOWN_DRAIN_DELAY": "0",
		"DATABASE_URL": storetest.PostgresURL(t), "DB_ALLOW_PLAINTEXT": "true", "SECRET_KEY": "9fK2mQx7ZtLw4RsVn8Yc3Hj6Pd1Ga5Eu",
		"FRONTEND_URL": "https://app.clinic.test", "PRODUCTION_CORS_ORIGINS": "https://app.clinic.test",
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(adminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	c := Command{Env: vars, Out: &out, Err: &log}
	create := Admin{Email: "Ada@clinic.test", First: "Ada", Last: "L", PasswordFile: file}
	if err := c.CreateAdmin(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Ada@clinic.test has user id 1") || strings.Contains(out.String()+log.String(), "canary") {
		t.Errorf("got %q, and %q in the log, want the id and no password", out.String(), log.String())
	}
	if !strings.Contains(log.String(), "operator") {
		t.Errorf("got %q in the log, want who made the user", log.String())
	}
	err = c.CreateAdmin(t.Context(), create)
	if exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "an account with this email already") {
		t.Errorf("again: got %v, want a usage error that says so", err)
	}

	ready := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Command{Env: vars, Out: new(bytes.Buffer)}.Serve(ctx, ready) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	var at Ready
	for deadline := time.Now().Add(30 * time.Second); at.Addr == ""; time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(ready); err == nil {
			if err := json.Unmarshal(text, &at); err != nil {
				t.Fatal(err)
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no ready file after 30 s")
		}
	}
	res, err := http.Post("http://"+at.Addr+"/api/v1/auth/login", "application/json",
		strings.NewReader(`{"email":"ada@clinic.test","password":"`+adminPassword+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		User struct {
			Role      string `json:"role"`
			MustEnrol bool   `json:"two_factor_required"`
		} `json:"user"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK || answer.User.Role != "admin" || !answer.User.MustEnrol {
		t.Errorf("sign in: got %d %+v, %v, want an admin who must enrol a second factor", res.StatusCode, answer, err)
	}
}

func TestAdminCreateRefuses(t *testing.T) {
	vars := serveVars(t)
	for name, c := range map[string]struct{ email, in, file, want string }{
		"no terminal":     {"ada@clinic.test", "", "", "--password-file"},
		"no file":         {"ada@clinic.test", "", "/nonexistent/canary", "read the password"},
		"empty":           {"ada@clinic.test", "\n", "-", "first line is empty"},
		"short":           {"ada@clinic.test", "canary\n", "-", "fewer than 12"},
		"common":          {"ada@clinic.test", "password1234\n", "-", "most common"},
		"the email":       {"adalovelace@clinic.test", "adalovelace1\n", "-", "your email"},
		"no address":      {"ada", adminPassword, "-", "must be an address"},
		"two things":      {"ada", "short", "-", "must be an address"},
		"a zero byte":     {"a\x00da@clinic.test", adminPassword, "-", "must be an address"},
		"not the address": {"ada@clinic.test\nBcc: x@y.z", adminPassword, "-", "must be an address"},
	} {
		var out bytes.Buffer
		err := Command{Env: vars, In: strings.NewReader(c.in), Out: &out, Err: &out}.CreateAdmin(t.Context(),
			Admin{Email: c.email, First: "A", Last: "B", PasswordFile: c.file})
		if exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a usage error with %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary elephant") {
			t.Errorf("%s: the error holds the password", name)
		}
	}
}
