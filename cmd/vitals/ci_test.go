package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/exit"
)

// The shell recipe of docs/ci.md is run as it stands.
func TestShellRecipe(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the smoke scenario, which takes 40 s; run without -short")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(text), "```sh\n")
	script, _, ok := strings.Cut(script, "```")
	if !ok {
		t.Fatal("docs/ci.md shows no shell recipe")
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "vitals"), "vitals/cmd/vitals")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build vitals: %v: %s", err, out)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exit.Pass && code != exit.NoAnswer { // 3: this machine was busy
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	for name, words := range map[string]string{"junit.xml": "<testsuites", "summary.md": "smoke", "document.json": "\"schema\"", "report.html": "<html"} {
		b, err := os.ReadFile(filepath.Join(dir, "out", name))
		if err != nil || !bytes.Contains(b, []byte(words)) {
			t.Errorf("out/%s: %v, want it to have %q", name, err, words)
		}
	}
}
