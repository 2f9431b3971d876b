package exit_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vitals/internal/atomicfile"
	"vitals/internal/exit"
)

// A file that cannot be made is a mistake of the command line; what cannot be rendered
// is no answer.
func TestWriting(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"nowhere/x.xml", "file/x.xml"} {
		err := atomicfile.Write(filepath.Join(dir, path), nil)
		if got := exit.Writing(fmt.Errorf("render: %w", err)); err == nil || got != exit.Usage {
			t.Errorf("%s: %v gives %d, want %d", path, err, got, exit.Usage)
		}
	}
	if got := exit.Writing(errors.New("a .hgrm file is one distribution")); got != exit.NoAnswer {
		t.Errorf("got %d, want %d", got, exit.NoAnswer)
	}
}
