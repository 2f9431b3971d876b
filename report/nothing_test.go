package report_test

import (
	"strings"
	"testing"

	"vitals/report"
)

// A run of which no target was asked says that nothing was judged, and counts none.
func TestNothingJudged(t *testing.T) {
	d := document(t)
	for i := range d.Runs {
		d.Runs[i].Verdicts = nil
	}
	first, _, _ := strings.Cut(string(render(t, report.Terminal, d)), "\n")
	if !strings.Contains(first, "no targets asked: nothing was judged") || strings.Contains(first, " met") {
		t.Errorf("got %q", first)
	}
}
