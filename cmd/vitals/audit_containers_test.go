package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vitals/internal/audit"
	"vitals/internal/exit"
)

// probesInAll is how many probes the checklist has.
const probesInAll = 87

// unprovable are the lines that cannot be proved everywhere: CF6 takes 8
// processors, SH5 and SE1 a build that can be made to panic.
var unprovable = []string{"CF6", "SH5", "SE1"}

// The reference API passes the whole checklist on two replicas, Postgres and
// Redis, as a user would have it audited. Each probe is a test of its own here,
// so that a skipped one is listed with its reason.
func TestAuditOfTheContainerStack(t *testing.T) {
	if testing.Short() {
		t.Skip("audits for minutes; run without -short")
	}
	needDocker(t)
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "audit", "--stack", "containers", "--short-clock",
		"--may-skip", strings.Join(unprovable, ","), "--out", out)
	var words, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &words, &talk
	_ = cmd.Run() // its code is looked at below
	text, err := os.ReadFile(filepath.Join(out, "audit.json"))
	if err != nil {
		t.Fatalf("no document: %v\n%s", err, talk.String())
	}
	var rep audit.Report
	if err := json.Unmarshal(text, &rep); err != nil {
		t.Fatal(err)
	}
	if got := len(rep.Findings); got != probesInAll || len(audit.Probes()) != probesInAll {
		t.Errorf("got %d findings of %d probes, want %d", got, len(audit.Probes()), probesInAll)
	}
	want := exit.Pass
	for _, f := range rep.Findings {
		t.Run(f.ID, func(t *testing.T) {
			switch f.Status {
			case audit.Fail:
				t.Errorf("%s\n%s", f.Reason, strings.Join(f.Notes, "\n"))
			case audit.Skip:
				if !slices.Contains(unprovable, f.ID) {
					want = exit.NoAnswer
				}
				t.Skip(f.Reason)
			}
		})
	}
	for _, v := range rep.Violations {
		t.Error(v)
	}
	if rep.Partial || rep.Counts.Fail > 0 || rep.Counts.Pass+rep.Counts.Skip != probesInAll {
		t.Errorf("got %+v, partial %v, want all of %d and no FAIL", rep.Counts, rep.Partial, probesInAll)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit: got %d, want %d\n%s%s", got, want, words.String(), talk.String())
	}
	if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
