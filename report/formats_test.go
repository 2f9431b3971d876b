package report_test

import (
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/baseline"
	"vitals/report"
)

// A duet's document holds no runs: the forms that are of runs alone are refused, not
// left empty, and the others are there.
func TestFormsOfRunsNeedRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "document.json")
	d := document(t)
	d.Runs, d.Comparison = []report.Run{}, &baseline.Comparison{}
	if err := report.Write(path, d); err != nil {
		t.Fatal(err)
	}
	f, err := report.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range report.Formats() {
		_, err := f.For(form)
		_, ofRuns := map[string]int{"csv-slices": 1, "csv-steps": 1, "benchstat": 1, "hgrm": 1, "vegeta": 1}[form]
		if ofRuns != (err != nil) {
			t.Errorf("%s: got %v, want it refused: %v", form, err, ofRuns)
		}
		if err != nil && !strings.Contains(err.Error(), "in its baselines; choose one of github, html, json") {
			t.Errorf("%s: got %v", form, err)
		}
	}
}
