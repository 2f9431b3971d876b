//go:build unix

package exit

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A closed terminal ends a run as Ctrl-C does: orderly, with what was measured
// kept and what was started ended.
func TestHangUpDrains(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("the tests were started under nohup, whose wish is kept: SIGHUP is ignored")
	}
	drain, kill, stop := Interruptible(t.Context(), io.Discard)
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-drain.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("SIGHUP did not begin the end of the run")
	}
	if kill.Err() != nil {
		t.Error("one SIGHUP stopped the run at once")
	}
}

// nohup's wish is kept: a run goes on when its terminal is closed.
func TestNohupIsKept(t *testing.T) {
	if os.Getenv("VITALS_TEST_NOHUP") != "" {
		drain, _, stop := Interruptible(t.Context(), io.Discard)
		defer stop()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case <-drain.Done():
			t.Fatal("SIGHUP ended a run under nohup")
		case <-time.After(300 * time.Millisecond): // the signal was sent to ourselves: it is there by now
		}
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `trap "" HUP; exec "$0" -test.run "^TestNohupIsKept$"`, exe)
	cmd.Env = append(os.Environ(), "VITALS_TEST_NOHUP=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v: %s", err, out)
	}
}
