package baseline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/baseline"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	document := filepath.Join(dir, "document.json")
	if err := os.WriteFile(document, []byte(`{"schema": 2, "tool": "vitals 1", "runs": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := baseline.Open(document); err == nil || !strings.Contains(err.Error(), "is a document, not a baseline") {
		t.Errorf("a document alone: got %v", err)
	}
	if err := baseline.Write(filepath.Join(dir, "baseline.json.gz"), file(1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, document, filepath.Join(dir, "baseline.json.gz")} {
		if f, err := baseline.Open(path); err != nil || len(f.Scenarios) != 2 {
			t.Errorf("%s: got %v", path, err)
		}
	}
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte(`{"schema": 2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := baseline.Open(other); err == nil || !strings.Contains(err.Error(), `schema is 2, want "vitals.baseline/1"`) {
		t.Errorf("a number for a schema: got %v", err)
	}
}
