package report_test

import (
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/report"
)

// A reason of two lines at the most shows the answer though it has no spaces.
func TestLongWordIsShown(t *testing.T) {
	d := document(t)
	d.Runs = d.Runs[:1]
	d.Runs[0].Result.Failures = nil
	for class := range d.Runs[0].Result.Total(true, true).Classes {
		d.Runs[0].Result.Failures = append(d.Runs[0].Result.Failures, measure.Exemplar{Step: "list", Class: class, Why: "want any 2xx, got 500",
			Body: `{"error":"` + strings.Repeat("x", 250) + `"}`})
	}
	for _, width := range []int{60, 100} {
		var b strings.Builder
		if err := report.Summary(report.Style{Width: width}, "")(&b, d); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `{"error":"xxx`) || !strings.Contains(b.String(), "xx…\n") {
			t.Errorf("at %d columns: got\n%s", width, &b)
		}
		for line := range strings.Lines(b.String()) {
			if strings.Contains(line, "xxx") && len([]rune(line)) > width+1 {
				t.Errorf("at %d columns: a line of %d: %s", width, len([]rune(line)), line)
			}
		}
	}
}

// A run of which no target was asked says that nothing was judged, and counts none.
func TestNothingJudged(t *testing.T) {
	d := document(t)
	for i := range d.Runs {
		d.Runs[i].Verdicts, d.Runs[i].Invariants = nil, nil
	}
	first, _, _ := strings.Cut(string(render(t, report.Terminal, d)), "\n")
	if !strings.Contains(first, "no targets asked: nothing was judged") || strings.Contains(first, " met") {
		t.Errorf("got %q", first)
	}
}
