package report_test

import (
	"bytes"
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/report"
)

// A run that an abort rule ended is a failure in every form, and nobody is said to
// have interrupted it; one that the user ended is no pass in any.
func TestEndings(t *testing.T) {
	for ending, want := range map[measure.Ending]string{measure.Aborted: report.Fail, measure.TargetDead: report.NoData, measure.Interrupted: report.NoData} {
		words := map[measure.Ending]string{measure.Aborted: "errors above 20% for 2s", measure.TargetDead: "the target is dead"}[ending]
		d := &report.Document{
			Schema: report.Schema, Partial: true, Verdict: want, Reasons: []string{"mine: " + words}, Exit: 1,
			Runs: []report.Run{{Verdict: want, Reasons: []string{words}, Result: &measure.Result{Scenario: "mine", Partial: true, EndedBy: ending, EndedEarly: words}}},
		}
		for _, format := range report.Formats() {
			switch format {
			case "json":
				continue
			case "benchstat", "csv-slices", "csv-steps", "hgrm", "openmetrics", "vegeta": // figures alone; those with room for it tell the verdict
				if text := string(renderAs(t, format, d)); (format == "benchstat" || format == "openmetrics") && !strings.Contains(text, want) {
					t.Errorf("%s of %s: lacks %s\n%s", format, ending, want, text)
				}
				continue
			}
			render, err := report.For(format)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := render(&out, d); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(out.String(), "%25", "%") // as GitHub's commands write it
			if got := strings.Contains(text, "interrupted"); got != (ending == measure.Interrupted) {
				t.Errorf("%s of %s: says interrupted: %v\n%.900s", format, ending, got, text)
			}
			if !strings.Contains(text, words) || format != "junit" && !strings.Contains(text, want) {
				t.Errorf("%s of %s: lacks %q or %s\n%.900s", format, ending, words, want, text)
			}
			if format == "junit" && strings.Contains(text, `failures="1"`) != (want == report.Fail) || format == "junit" && strings.Contains(text, `failures="0" errors="0"`) {
				t.Errorf("%s of %s: does not tell the verdict %s\n%s", format, ending, want, text)
			}
		}
	}
}

func renderAs(t *testing.T, format string, d *report.Document) []byte {
	t.Helper()
	r, err := report.For(format)
	if err != nil {
		t.Fatal(err)
	}
	return render(t, r, d)
}
