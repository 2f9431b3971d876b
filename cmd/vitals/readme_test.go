package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vitals/internal/exit"
	"vitals/scenarios"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every `vitals …` line of the README is one that the program understands: the
// command and each flag exist.
func TestReadmeCommands(t *testing.T) {
	lines := regexp.MustCompile(`(?m)^vitals (.+?)(?:\s+#.*)?$`).FindAllStringSubmatch(readme(t), -1)
	if len(lines) < 6 {
		t.Fatalf("got %d commands in the README, want its examples", len(lines))
	}
	for _, l := range lines {
		args := strings.Fields(l[1])
		cmd, rest, err := newRootCmd(streams{}).Find(args)
		if err != nil || cmd.Name() == "vitals" {
			t.Errorf("%q: no such command: %v", l[0], err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%q: %v", l[0], err)
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%q: %v", l[0], err)
		}
	}
}

// The README's scenario is one that the program reads.
func TestReadmeScenario(t *testing.T) {
	text := readme(t)
	_, text, _ = strings.Cut(text, "```yaml\n")
	text, _, ok := strings.Cut(text, "```")
	if !ok {
		t.Fatal("the README shows no scenario")
	}
	sc, err := scenarios.Read(strings.NewReader(text), "README.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(sc.Journeys) == 0 || len(sc.Targets) == 0 || len(sc.Abort) == 0 {
		t.Errorf("got %d journeys, %d targets and %d abort rules, want some of each", len(sc.Journeys), len(sc.Targets), len(sc.Abort))
	}
}

// The README's exit codes are the help's.
func TestReadmeExitCodes(t *testing.T) {
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \| ([a-z ]+)`).FindAllStringSubmatch(readme(t), -1) {
		if !regexp.MustCompile(`(?m)^  ` + m[1] + `\s+` + strings.TrimSpace(m[2])).MatchString(exit.Table) {
			t.Errorf("exit code %s: the README says %q, the help something else", m[1], m[2])
		}
	}
}
