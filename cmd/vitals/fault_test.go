package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/faults"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// Redis is away for a while: nobody notices, each of two replicas admits its share
// of guesses and no more, the lock from before is remembered, all is whole after.
func TestContainersFault(t *testing.T) {
	needDocker(t)
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "run", "testdata/calm.yaml", "--stack", "containers", "--pace", "quick",
		"--replicas", "2", "--fault", "redis:stop@6s+4s", "--targets", "testdata/during.yaml", "--out", out)
	cmd.Env = os.Environ()
	talk, _ := cmd.CombinedOutput() // its exit code is looked at
	if code := cmd.ProcessState.ExitCode(); code != exit.Pass && code != exit.NoAnswer {
		t.Fatalf("exit: got %d\n%s", code, talk)
	}
	d := document(t, out)
	for _, text := range []string{"lockout.admitted == 5", "lockout.leaked == 0", "fault.leaked == 0", "fault.recovery < 4s", "errors < 0.1%", "errors < 1% during fault"} {
		if v := status(t, d, text); v.Status != targets.Pass {
			t.Errorf("got %v, want it passed", v)
		}
	}
	done := d.Runs[0].Faults
	if len(done) != 1 || done[0].Part != "redis" || done[0].Action != "stop" || done[0].Error != "" || done[0].At < 6*time.Second || done[0].Took < 3*time.Second {
		t.Errorf("got %v, want Redis stopped for 4s", done)
	}
	if p := phase(d, faults.During); p.Judged || p.From != 6*time.Second || p.To != 10*time.Second || len(p.Steps) == 0 {
		t.Errorf("got phase %+v, want the fault's requests apart", p.Phase)
	}
	if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Ctrl-C while a part is frozen: it goes on at once, what was done is kept, and
// nothing is left behind.
func TestContainersFaultInterrupted(t *testing.T) {
	needDocker(t)
	out := t.TempDir()
	cmd, _, talk := interrupted(t, "fault: pause postgres", "run", "testdata/calm.yaml", "--stack", "containers", "--pace", "quick",
		"--fault", "postgres:pause@2s+9s", "--out", out)
	if !strings.Contains(talk, "fault: unpause postgres") {
		t.Errorf("want Postgres thawed:\n%s", talk)
	}
	d := document(t, out)
	if len(d.Runs) != 1 || len(d.Runs[0].Faults) != 1 {
		t.Fatalf("got %d runs, want one with its fault", len(d.Runs))
	}
	if f := d.Runs[0].Faults[0]; f.Error != "" || f.Took <= 0 || f.Took > 8*time.Second {
		t.Errorf("got %+v, want it undone long before its 9s", f)
	}
	if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func phase(d *report.Document, name string) measure.PhaseResult {
	for _, p := range d.Runs[0].Result.Phases {
		if p.Name == name {
			return p
		}
	}
	return measure.PhaseResult{}
}
