package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// program and vitals are the two programs, built once, as their users build them.
var program, vitals string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vitals-pocketbase-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the programs under test:", err)
		os.Exit(1)
	}
	program, vitals = filepath.Join(dir, "pocketbase"), filepath.Join(dir, "vitals")
	for _, b := range [][]string{{".", program, "."}, {"../../../..", vitals, "./cmd/vitals"}} {
		build := exec.Command("go", "build", "-trimpath", "-o", b[1], b[2])
		build.Dir = b[0]
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", b[2], err, out)
			os.Exit(1)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// setup is how a PocketBase is configured. sound is the one whose README says what
// testdata/profile.yaml promises; a planted mistake is a change of it.
type setup struct {
	args         []string // of `serve`
	limits       []map[string]any
	proxyHeaders []string
	leftmost     bool
	rules        map[string]string // of the collection orders
}

const mine = "owner = @request.auth.id"

func sound() setup {
	return setup{
		args: []string{"--origins=https://shop.example"},
		limits: []map[string]any{
			{"label": "*:auth", "maxRequests": 5, "duration": 300},
			{"label": "*:requestPasswordReset", "maxRequests": 3, "duration": 3600},
			{"label": "/api/", "maxRequests": 300, "duration": 10},
		},
		rules: map[string]string{
			"listRule": mine, "viewRule": mine, "deleteRule": mine,
			"createRule": "@request.auth.id != '' && @request.body.owner = @request.auth.id",
			"updateRule": mine + " && (@request.body.owner:isset = false || @request.body.owner = @request.auth.id)",
		},
	}
}

// accounts is how many users there are: each trial of the audit takes fresh ones.
const accounts = 60

// server is one that runs until the test has ended.
type server struct {
	t        *testing.T
	url      string
	dir      string
	token    string // of the superuser
	accounts string // CSV file
}

// start starts a PocketBase and configures it over its own API.
func start(t *testing.T, c setup) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir()}
	const root, word = "root@shop.example", "a-superuser-of-tests-1"
	data := "--dir=" + filepath.Join(s.dir, "data")
	if out, err := exec.Command(program, "superuser", "upsert", root, word, data).CombinedOutput(); err != nil {
		t.Fatalf("make a superuser: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	serve := exec.Command(program, append([]string{"serve", "--http=" + at, data}, c.args...)...)
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	serve.Stdout, serve.Stderr = log, log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Kill() // its data is thrown away
		_ = serve.Wait()
		_ = log.Close()
	})
	s.url = "http://" + at
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(s.url + "/api/health"); err == nil {
			_ = res.Body.Close()
			break
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("it does not answer:\n%s", text)
		}
	}
	s.token, _ = s.call("POST", "/api/collections/_superusers/auth-with-password", map[string]any{"identity": root, "password": word})["token"].(string)
	s.call("PATCH", "/api/settings", map[string]any{
		"rateLimits":   map[string]any{"enabled": len(c.limits) > 0, "rules": c.limits},
		"trustedProxy": map[string]any{"headers": c.proxyHeaders, "useLeftmostIP": c.leftmost},
	})
	s.call("PATCH", "/api/collections/users", map[string]any{"authAlert": map[string]any{"enabled": false}})
	orders := map[string]any{"name": "orders", "type": "base", "fields": []map[string]any{
		{"name": "owner", "type": "relation", "collectionId": "_pb_users_auth_", "maxSelect": 1, "required": true},
		{"name": "note", "type": "text", "max": 200}, {"name": "due", "type": "date"},
	}}
	for name, rule := range c.rules {
		orders[name] = rule
	}
	s.call("POST", "/api/collections", orders)
	s.people()
	return s
}

// people makes the users, and the file that an audit reads them from.
func (s *server) people() {
	s.t.Helper()
	s.accounts = filepath.Join(s.dir, "accounts.csv")
	f, err := os.OpenFile(s.accounts, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"email", "password"}) // Flush tells
	for i := range accounts {
		email, word := fmt.Sprintf("customer%02d@shop.example", i), fmt.Sprintf("a-word-of-tests-%02d", i)
		s.call("POST", "/api/collections/users/records", map[string]any{"email": email, "password": word, "passwordConfirm": word})
		_ = w.Write([]string{email, word})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		s.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// call is a request of the superuser.
func (s *server) call(method, path string, body any) (answer map[string]any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", s.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if res.StatusCode/100 != 2 {
		s.t.Fatalf("%s %s: %d: %s", method, path, res.StatusCode, got)
	}
	if err := json.Unmarshal(got, &answer); err != nil && len(got) > 0 {
		s.t.Fatalf("%s %s: %v: %s", method, path, err, got)
	}
	return answer
}
