package harness

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A run of a duet or a search, in a folder that nobody has made yet: it keeps
// what it said, and its document.
func TestQuietRunMakesItsFolder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "slots", "01-A")
	d, err := Quiet(t.Context(), t.Context(), Options{
		Scenarios: []string{"smoke"}, Targets: "production", Binary: program(), Out: out, Replicas: 1, Pace: "quick", Seed: 1,
		Window: &Window{Warmup: time.Second, Measure: 2 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Runs) != 1 || d.Runs[0].Result.Window != 2*time.Second || d.Partial {
		t.Errorf("got %d runs, partial %v", len(d.Runs), d.Partial)
	}
	talk, err := os.ReadFile(filepath.Join(out, "talk.log"))
	if err != nil || !bytes.Contains(talk, []byte("signed in")) {
		t.Errorf("got %q, %v", talk, err)
	}
	if _, err := os.Stat(filepath.Join(out, "document.json")); err != nil {
		t.Error(err)
	}
}
