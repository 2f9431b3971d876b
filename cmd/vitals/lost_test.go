package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
)

// TestReaderGoesAway is `vitals run … 2>&1 | head -1`: nobody reads on, and the run
// keeps what it measured and its exit code.
func TestReaderGoesAway(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "run", "smoke", "--pace", "quick", "--out", out)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := bufio.NewReaderSize(io.LimitReader(r, 1), 16).ReadByte(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	_ = cmd.Wait() // its exit code is looked at
	d := document(t, out)
	if got := cmd.ProcessState.ExitCode(); got != d.Exit || d.Partial {
		t.Errorf("exit: got %d, want %d as in the document; partial %v", got, d.Exit, d.Partial)
	}
	for _, name := range []string{"baseline.json", "report.html"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestKilledOutright kills a run with -9 in its second scenario: the document says
// that it is not the whole, no API is left, and the next run clears the memory.
func TestKilledOutright(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "run", "smoke", "normal", "--pace", "quick", "--out", out)
	talk := &watched{want: "normal 0:0", seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = io.Discard, talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-talk.seen:
	case <-time.After(2 * time.Minute):
		t.Fatalf("the second scenario never began:\n%s", talk.String())
	}
	folders := foldersOf(t, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	d := document(t, out)
	if !d.Partial || d.Exit == exit.Pass || len(d.Runs) != 1 {
		t.Errorf("got partial %v, exit %d, %d runs, want one run of two, partial and no pass", d.Partial, d.Exit, len(d.Runs))
	}
	for range 50 {
		if refused(t, d.Stack.URL) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !refused(t, d.Stack.URL) {
		t.Errorf("the API still answers at %s", d.Stack.URL)
	}
	if len(folders) == 0 {
		t.Fatal("found no folder that the run held, so none can be looked for")
	}
	if code, _, stderr := vitals(t, nil, "run", "smoke", "--pace", "quick", "--out", t.TempDir()); code == exit.NoSystem {
		t.Fatal(stderr)
	}
	for _, dir := range folders {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is still there after another run", dir)
		}
	}
}

// foldersOf are the temporary folders that a process holds, by the lock files that
// it has open.
func foldersOf(t *testing.T, pid int) (dirs []string) {
	t.Helper()
	fds, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		file, err := os.Readlink(fd)
		if dir := filepath.Dir(file); err == nil && strings.HasPrefix(filepath.Base(file), ".vitals-lock") && strings.HasPrefix(filepath.Base(dir), "vitals-") {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
