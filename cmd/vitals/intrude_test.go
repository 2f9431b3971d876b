package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vitals/internal/canary"
	"vitals/targets"
)

// Intruders of every kind against the real API: each has its say, and none gets
// anywhere. The machine may be too busy for honest figures; the controls hold all
// the same.
func TestIntrudersOfEveryKind(t *testing.T) {
	t.Parallel()
	s, out := start(t), t.TempDir()
	code, stdout, stderr := vitals(t, nil, "run", "testdata/intruders.yaml", "--pace", "quick", "--out", out,
		"--url", s.URL.String(), "--accounts", accountsFile(t, s.Accounts))
	if code != exitPass && code != exitNoAnswer {
		t.Fatalf("exit: got %d\n%s\n%s", code, stderr, stdout)
	}
	d := document(t, out)
	for _, v := range d.Runs[0].Verdicts {
		if metric := v.Target.Metric; (strings.HasPrefix(metric, "intruders.") || strings.HasPrefix(metric, "lockout.")) && v.Status != targets.Pass {
			t.Errorf("got %v, want it passed", v)
		}
	}
	notes := strings.Join(d.Runs[0].Result.Notes, "\n")
	for _, want := range []string{
		`intruder "forger" (spoof headers): 10 judged and 10 refused from 2 addresses`,
		`intruder "sprayer" (spray passwords): `, `intruder "botnet" (spray passwords): 30 of 30 guesses sent from 30 addresses`,
		`intruder "coder" (guess codes): 20 judged and 8 refused from 2 addresses`,
		`intruder "thief" (reuse tokens): 16 dead tokens presented from 2 addresses, 0 served`,
		`intruder "dribbler" (dribble headers): 20 connections opened from 2 addresses, 20 cut, 0 still open`,
		`intruder "glutton" (oversize bodies): 8 bodies sent from 2 addresses, 8 refused by 413 or a cut, 0 connections kept`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	password := s.Accounts[0].Password
	if hits, err := canary.Dir(out, password); err != nil || len(hits) > 0 || strings.Contains(stdout+stderr, password) {
		t.Errorf("a password is in the artefacts or the output: %v, %v", hits, err)
	}
}

// An API whose login counter reads, then writes, judges more of a spray than one
// address may have: the run fails, whatever the machine was like.
func TestSprayFindsTheBrokenCounter(t *testing.T) {
	t.Parallel()
	broken, out := filepath.Join(t.TempDir(), "vitals"), t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-tags", "brokenlimit,faults", "-o", broken, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	cmd := exec.CommandContext(t.Context(), broken, "run", "testdata/intruders.yaml", "--pace", "quick", "--out", out)
	cmd.Env = append(os.Environ(), "VITALS_FAULT=get-then-incr")
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != exitFail {
		t.Errorf("exit: got %d, want %d", got, exitFail)
	}
	d := document(t, out)
	if v := status(t, d, "intruders.excess == 0"); v.Status != targets.Fail || v.Got < 1 {
		t.Errorf("got %v, want a failure above 0", v)
	}
	if !slices.ContainsFunc(d.Reasons, func(why string) bool { return strings.Contains(why, "intruders.excess") }) {
		t.Errorf("the reasons do not name it: %q", d.Reasons)
	}
}
