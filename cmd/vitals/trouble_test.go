package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/targets"
)

// vitals runs the built program and returns its exit code and what it said.
func vitals(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	var e *exec.ExitError
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), talk.String()
}

// accountsFile writes accounts as users keep them.
func accountsFile(t *testing.T, accounts []stack.Account) string {
	t.Helper()
	rows := [][]string{{"email", "password"}}
	for _, a := range accounts {
		rows = append(rows, []string{a.Email, a.Password})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "accounts.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func document(t *testing.T, dir string) *report.Document {
	t.Helper()
	d, err := report.Read(filepath.Join(dir, "document.json"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// status is the verdict's status on a target's text.
func status(t *testing.T, d *report.Document, text string) targets.Verdict {
	t.Helper()
	for _, r := range d.Runs {
		for _, v := range r.Verdicts {
			if v.Target.Text == text {
				return v
			}
		}
	}
	t.Fatalf("no verdict on %q", text)
	return targets.Verdict{}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	code, stdout, stderr := vitals(t, []string{
		"ENV=test", "HOST=127.0.0.1", "PORT=" + port, "ADMIN_ADDR=127.0.0.1:0",
		"DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "clinic.db"),
	}, "serve")
	if code != exit.NoSystem {
		t.Errorf("exit: got %d, want %d", code, exit.NoSystem)
	}
	if !strings.Contains(stdout+stderr, "address already in use") || !strings.Contains(stderr, "PORT") {
		t.Errorf("want the taken address and the variable to change, got:\n%s", stderr)
	}
}

// TestInterrupt presses Ctrl-C in the middle: what was measured is kept, marked
// partial, and no API is left running.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	_, stdout, _ := interrupted(t, "normal 0:0", "run", "normal", "smoke", "--pace", "quick", "--out", out)
	d := document(t, out)
	if !d.Partial || len(d.Runs) != 1 || !d.Runs[0].Result.Partial {
		t.Errorf("got partial %v with %d runs, want one run, partial", d.Partial, len(d.Runs))
	}
	if n := d.Runs[0].Result.Total(true, false).Counts.Sent; n == 0 {
		t.Error("nothing of what was measured is kept")
	}
	if !strings.Contains(stdout, "partial") {
		t.Errorf("the report does not say that it is partial:\n%.500s", stdout)
	}
	if api := d.Stack.URL; !refused(t, api) {
		t.Errorf("the API still answers at %s", api)
	}
}

// interrupted runs vitals, presses Ctrl-C once it has said moment, and holds the exit
// code.
func interrupted(t *testing.T, moment string, args ...string) (cmd *exec.Cmd, stdout, stderr string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), binary, args...)
	talk := &watched{want: moment, seen: make(chan struct{})}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-talk.seen:
	case <-time.After(2 * time.Minute):
		t.Fatalf("never came to %q:\n%s", moment, talk.String())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is looked at
	if got := cmd.ProcessState.ExitCode(); got != exit.Interrupted {
		t.Errorf("exit: got %d, want %d\n%s", got, exit.Interrupted, talk.String())
	}
	return cmd, out.String(), talk.String()
}

// refused tells that nobody listens any more.
func refused(t *testing.T, base string) bool {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.DialTimeout("tcp", u.Host, time.Second)
	if err != nil {
		return true
	}
	c.Close()
	return false
}

// watched is a writer that tells when a text has passed.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	want string
	seen chan struct{}
	done bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if !w.done && strings.Contains(w.buf.String(), w.want) {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// TestFullDisk runs onto a disk that is too small for the document: what was
// measured goes to the temporary folder, and the message says where.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("a full disk was not tried: mounting a small one needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	spare := t.TempDir()
	code, stdout, stderr := vitals(t, []string{"TMPDIR=" + spare}, "run", "smoke", "--pace", "quick", "--out", small)
	if code != exit.NoAnswer {
		t.Errorf("exit: got %d, want %d", code, exit.NoAnswer)
	}
	if !strings.Contains(stderr, "no space left") || !strings.Contains(stderr, spare) {
		t.Errorf("want the reason and where the document is kept, got:\n%s", stderr)
	}
	kept, err := filepath.Glob(filepath.Join(spare, "vitals-out-*", "document.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("got %v, %v, want one document in the temporary folder", kept, err)
	}
	if _, err := report.Read(kept[0]); err != nil {
		t.Error(err)
	}
	if !strings.Contains(stdout, "smoke") {
		t.Error("the report is not shown")
	}
}

// A misspelt flag, or what stands in one, is told its nearest right spelling.
func TestAMisspeltFlag(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, flag, want string }{
		{"run", "--acounts", "unknown flag: --acounts (did you mean --accounts?)"},
		{"validate", "--rte", "unknown flag: --rte (did you mean --rate?)"},
		{"audit", "--xyzzy", "unknown flag: --xyzzy\n"},
		{"run", "--pace=quik", `--pace quik: want full or quick (did you mean "quick"?)`},
		{"run", "--repeat=0", "--repeat 0: want 1 or more"},
		{"run", "--targets=none --fault=redis:stop@1s --fault=redis:stop@5s --targets=strict.yaml", `"strict.yaml" for "--targets" flag: it stands twice, and "none" was given before`},
		{"run", "-q -q=false", `"false" for "-q, --quiet" flag: it stands twice, and "true" was given before`},
		{"compare", "--tolerance=p95=15% --tolerance=p95=20% y", "--tolerance p95=20%: p95 has another tolerance already"},
		{"history", "--all --all --html=a --html=b", `"b" for "--html" flag: it stands twice, and "a" was given before`},
	} {
		if code, _, talk := vitals(t, nil, append(strings.Fields(c.command+" "+c.flag), "x")...); code != exit.Usage || !strings.Contains(talk, c.want) {
			t.Errorf("%s %s: got exit %d and %q, want 2 and %q", c.command, c.flag, code, talk, c.want)
		}
	}
}
