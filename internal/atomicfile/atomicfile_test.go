package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vitals/internal/atomicfile"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "document.json")
	for _, want := range []string{"one", "two, longer"} {
		if err := atomicfile.Write(path, text(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
	}
}

func TestWriteOnAFullDiskLosesNothing(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full to stand for a full disk")
	}
	defer full.Close()
	path := filepath.Join(t.TempDir(), "document.json")
	if err := atomicfile.Write(path, text("measured so far")); err != nil {
		t.Fatal(err)
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half of")
		_, err := full.WriteString("the next")
		return err
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("got %v, want what to do about a full disk", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "measured so far" {
		t.Errorf("got %q, want what was there before", got)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("got %v, want no temporary file left", left)
	}
}

func TestWriteIntoNoFolder(t *testing.T) {
	err := atomicfile.Write(filepath.Join(t.TempDir(), "no", "document.json"), text(""))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "make the folder first") {
		t.Errorf("got %v, want what to do about a missing folder", err)
	}
}
