package stack

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A folder is one run's at a time, and one that was made for nothing is gone again.
func TestOutput(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "out")
	release, err := Output(dir)
	if err != nil {
		t.Fatal(err)
	}
	var taken *TakenError
	if _, err := Output(dir); !errors.As(err, &taken) || taken.Dir != dir {
		t.Errorf("a second run: got %v, want it refused", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder was left: %v", err)
	}
	if release, err = Output(dir); err != nil {
		t.Fatalf("after the first: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "document.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("got %v, %v, want the document alone", left, err)
	}
}
