package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/exit"
)

// Each command that people see has a manual page with its exit codes or flags,
// and each shell a completion.
func TestManualPagesAndCompletions(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	s := streams{strings.NewReader(""), &out, &errs}
	if code := run(t.Context(), []string{"man", dir}, s); code != exit.Pass {
		t.Fatalf("man: exit %d: %s", code, errs.String())
	}
	for _, cmd := range newRootCmd(s).Commands() {
		if cmd.Hidden {
			continue
		}
		page, err := os.ReadFile(filepath.Join(dir, "vitals-"+cmd.Name()+".1"))
		if err != nil || !bytes.Contains(page, []byte(".SH SYNOPSIS")) {
			t.Errorf("vitals %s: %v, want a manual page", cmd.Name(), err)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out.Reset()
		if code := run(t.Context(), []string{"completion", shell}, s); code != exit.Pass || out.Len() < 1000 {
			t.Errorf("completion %s: exit %d, %d bytes", shell, code, out.Len())
		}
	}
}

func TestDoctorRefusesAnUnknownStack(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"doctor", "--stack", "kubernetes"}, streams{strings.NewReader(""), &out, &errs}); code != exit.Usage {
		t.Errorf("exit %d: %s, want %d", code, errs.String(), exit.Usage)
	}
}
