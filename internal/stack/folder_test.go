package stack_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"vitals/internal/stack"
)

// holder makes a folder in memory, names it, and waits to be killed.
const holder = "VITALS_TEST_HOLD_FOLDER"

// reacher names a deployment that is to be reached by a process of its own.
const reacher = "VITALS_TEST_REACH"

func TestMain(m *testing.M) {
	if os.Getenv(holder) != "" {
		f, err := stack.NewFolder("embedded", true)
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(f.Path + "\n")
		time.Sleep(time.Hour) // until it is killed, with the folder held
	}
	if at := os.Getenv(reacher); at != "" {
		u, err := url.Parse(at)
		if err == nil {
			_, err = stack.External{URL: u, Client: http.DefaultClient}.Start(context.Background())
		}
		if err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// hold starts a process that holds a folder.
func hold(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env, cmd.Stderr = append(os.Environ(), holder+"=1"), t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	dir := lines.Text()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return cmd, dir
}

// A folder whose owner was killed is removed by the next process that makes one;
// a folder whose owner lives is left alone.
func TestFoldersOfKilledProcessesAreSwept(t *testing.T) {
	killed, left := hold(t)
	_, alive := hold(t)
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it was killed
	if _, err := os.Stat(left); err != nil {
		t.Fatalf("the killed process left nothing to sweep: %v", err)
	}
	_, next := hold(t)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%s of a killed process is still there", left)
	}
	for _, dir := range []string{alive, next} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("a folder in use is gone: %v", err)
		}
	}
}
