package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whoever has a PocketBase, and no file that describes it, records a dozen requests and
// has a run and an audit: nothing of what vitals init wrote has to be mended by hand.
func TestRecordedRunAndAudited(t *testing.T) {
	s, dir := start(t, sound()), t.TempDir()
	init := exec.CommandContext(t.Context(), vitals, "init", "--record", s.url, "--listen", "127.0.0.1:0", "--dir", dir,
		"--limit", "5 requests in 300 s by address, in fixed windows")
	talk, err := init.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := init.Start(); err != nil {
		t.Fatal(err)
	}
	record(t, recorderAt(t, talk))
	if err := init.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := init.Wait(); err != nil {
		t.Fatalf("vitals init: %v", err)
	}
	profile, err := os.ReadFile(filepath.Join(dir, "profile.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"login: {limit: 5, window: 5m, fixed: true, counts: requests, by: address}", "refused: 400", `user_id: "record.id"`,
		`path: "/api/collections/users/records/{{user_id}}"`, `"owner":"{{user_id}}"`, "refused: 404",
	} {
		if !strings.Contains(string(profile), want) {
			t.Errorf("the profile lacks %s:\n%s", want, profile)
		}
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{
		{"validate", file("scenario.yaml"), "--profile", file("profile.yaml"), "--targets", file("targets.yaml")},
		{"run", file("scenario.yaml"), "--url", s.url, "--profile", file("profile.yaml"), "--accounts", s.accounts, "--once"},
		{"audit", "--url", s.url, "--i-own", "127.0.0.1", "--class", "intrusive", "--profile", file("profile.yaml"), "--accounts", s.accounts,
			"--only", "AU1,AU3,AU10,AU11,LK1,LK2,LK3,LK6,LK7,LK8,LK17,LK20", "--out", t.TempDir()},
	} {
		if words, err := exec.CommandContext(t.Context(), vitals, args...).CombinedOutput(); err != nil {
			t.Errorf("vitals %s: %v\n%s", strings.Join(args, " "), err, words)
		}
	}
}

// recorderAt is where the recorder listens, by what it says; the rest of that is read too.
func recorderAt(t *testing.T, talk io.Reader) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		var text []byte
		buffer := make([]byte, 4096)
		for told := false; ; {
			n, err := talk.Read(buffer)
			text = append(text, buffer[:n]...)
			if _, rest, ok := strings.Cut(string(text), "Send to "); ok && !told && strings.Contains(rest, " ") {
				at, _, _ := strings.Cut(rest, " ")
				found <- at
				told = true
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case at := <-found:
		return at
	case <-time.After(30 * time.Second):
		t.Fatal("the recorder does not listen")
		return ""
	}
}

// record sends what one user does to the recorder.
func record(t *testing.T, at string) {
	t.Helper()
	token := ""
	send := func(want int, method, path string, body map[string]string) map[string]any {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if body == nil {
			text = nil
		}
		req, err := http.NewRequestWithContext(t.Context(), method, at+path, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", token)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want {
			t.Fatalf("%s %s: got %d %s %v, want %d", method, path, res.StatusCode, got, err, want)
		}
		answer := map[string]any{}
		if len(got) > 0 && json.Unmarshal(got, &answer) != nil {
			t.Fatalf("%s %s: %s", method, path, got)
		}
		return answer
	}
	const login = "/api/collections/users/auth-with-password"
	send(200, "GET", "/api/health", nil)
	send(400, "POST", login, map[string]string{"identity": "customer00@shop.example", "password": "a wrong one"})
	in := send(200, "POST", login, map[string]string{"identity": "customer00@shop.example", "password": "a-word-of-tests-00"})
	user := in["record"].(map[string]any)["id"].(string)
	token = in["token"].(string)
	me := "/api/collections/users/records/" + user
	send(200, "GET", me, nil)
	send(200, "GET", "/api/collections/orders/records", nil)
	order := "/api/collections/orders/records/" + send(200, "POST", "/api/collections/orders/records", map[string]string{"owner": user, "note": "by the door"})["id"].(string)
	send(200, "GET", order, nil)
	shown := token
	token = ""
	send(404, "GET", me, nil)
	send(404, "GET", order, nil)
	token = shown
	send(200, "PATCH", order, map[string]string{"note": "at the gate"})
	send(204, "DELETE", order, nil)
}
