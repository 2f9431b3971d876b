package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/exit"
)

// auditing runs `vitals audit` with arguments and gives its exit code and both
// outputs.
func auditing(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := newAuditCmd(streams{strings.NewReader(""), &stdout, &stderr})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return exit.Code(err), stdout.String(), stderr.String() + exit.Complaint(err)
}

func TestAuditUsage(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args string
		want string
	}{
		{"", "nothing to audit: want --url URL, or --stack"},
		{"--url http://a --stack embedded", "exclude each other"},
		{"--stack docker", "want embedded or containers"},
		{"--url http://127.0.0.1:1 --class harsh", `no class "harsh"`},
		{"--url http://127.0.0.1:1 --class intrusiv", `want safe, intrusive, control (did you mean "intrusive"?)`},
		{"--url http://127.0.0.1:1 --only LK99", `no probe or family "LK99" (did you mean`},
		{"--url http://127.0.0.1:1 --only J1,LK99,XX1", `no probe or family "XX1" (a family such as LK`},
		{"--url http://127.0.0.1:1 --may-skip XY", `--may-skip: no probe or family "XY"`},
		{"--url http://127.0.0.1:1 --class intrusive", "--i-own 127.0.0.1"},
		{"--url http://127.0.0.1:1 --short-clock", "--short-clock needs --stack"},
		{"--url http://127.0.0.1:1", "--url without --profile"},
		{"--url http://127.0.0.1:1 --profile clinc", `did you mean "clinic"?`},
		{"--url http://u:p@127.0.0.1:1", "no user or password in a URL"},
		{"--explain LK99", "did you mean"},
		{"--url http://127.0.0.1:1 --only J1", "J1 is no probe"},
	} {
		code, _, talk := auditing(t, append(strings.Fields(c.args), "--out", dir)...)
		if code != exit.Usage || !strings.Contains(talk, c.want) {
			t.Errorf("audit %s: got exit %d and %q, want 2 and %q", c.args, code, talk, c.want)
		}
	}
	if code, _, talk := auditing(t, "--url", "http://127.0.0.1:1", "--profile", "clinic", "--out", dir); code != exit.NoSystem {
		t.Errorf("nobody there: got exit %d and %q, want 4", code, talk)
	}
}

func TestAuditExplains(t *testing.T) {
	code, out, _ := auditing(t, "--explain", "lk8")
	if code != exit.Pass || !strings.Contains(out, "LK8") || !strings.Contains(out, "why") || !strings.Contains(out, "fix") {
		t.Errorf("got exit %d and %q", code, out)
	}
}

// The published clock is as good as the short one: what an API under audit is given
// is accepted in production.
func TestAuditByThePublishedClock(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), binary, "audit", "--stack", "embedded", "--only", "HL1,CO1", "--out", t.TempDir()).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "2 PASS, 0 FAIL, 0 SKIP") {
		t.Errorf("got %v and\n%s", err, out)
	}
}

// What answers and is not the API is told in one sentence, and accused of nothing.
func TestAuditOfSomethingElse(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	code, out, talk := auditing(t, "--url", srv.URL, "--profile", "clinic", "--out", t.TempDir())
	if code != exit.NoSystem || out != "" || strings.Contains(talk, "\n") || !strings.Contains(talk, "is not the API of profile clinic, or it is down: GET /health got 404") {
		t.Errorf("got exit %d, %q and %q, want 4 and one sentence", code, out, talk)
	}
}

// A line that failed is 1; one that was skipped is not proved, 3, unless it may
// be; only what passed whole is 0.
func TestAuditExitCodes(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(map[bool]int{true: http.StatusUnauthorized, false: http.StatusNotFound}[r.URL.Path == "/api/v1/auth/me"])
	}))
	defer srv.Close()
	for _, c := range []struct {
		args string
		want int
		says string
	}{
		{"--only SH3", exit.Pass, "1 PASS, 0 FAIL, 0 SKIP"},
		{"--only SH3,LK2", exit.NoAnswer, "makes data: LK2 (--class intrusive --i-own 127.0.0.1 tries it)"},
		{"--only SH3,LK2 --class safe", exit.Pass, "makes data: LK2"},
		{"--only HL3", exit.Fail, "FAIL   HL3"},
		{"--only SH3,AU3", exit.NoAnswer, "skipped is not proved"},
		{"--only SH3,AU3 --may-skip au3", exit.Pass, "it needs test accounts"},
		{"--only AU3 --may-skip AU", exit.NoAnswer, "0 PASS"},
	} {
		dir := t.TempDir()
		code, out, talk := auditing(t, append(strings.Fields(c.args), "--url", srv.URL, "--profile", "clinic", "--out", dir)...)
		if code != c.want || !strings.Contains(out, c.says) {
			t.Errorf("audit %s: got exit %d, want %d with %q:\n%s%s", c.args, code, c.want, c.says, out, talk)
		}
		if _, err := os.Stat(filepath.Join(dir, "audit.json")); err != nil {
			t.Errorf("audit %s: %v", c.args, err)
		}
	}
}
