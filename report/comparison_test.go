package report_test

import (
	"bytes"
	"strings"
	"testing"

	"vitals/internal/baseline"
	"vitals/report"
)

// A verdict that no line above explains says why, and a build without a revision is
// told by what else is known of it.
func TestComparisonTellsWhyThereIsNone(t *testing.T) {
	c := &baseline.Comparison{
		Verdict: baseline.OverallInvalid, Reasons: []string{"6 of 6 pairs were invalid, more than 25 %", "old file: 3 invalid runs left out"},
		Old: baseline.Side{Session: "s", Subject: baseline.Subject{Ref: "http://10.0.0.4:8000"}},
		New: baseline.Side{Session: "s", Subject: baseline.Subject{Binary: "d191cf6b81027711"}},
	}
	for verdict, want := range map[baseline.Overall]string{
		baseline.OverallInvalid:     "verdict: INVALID: 6 of 6 pairs were invalid, more than 25 %",
		baseline.OverallNotCompared: "verdict: NOT COMPARABLE: 6 of 6 pairs",
	} {
		c.Verdict = verdict
		var b bytes.Buffer
		if err := report.ComparisonText(report.Style{Width: 120}, &b, c); err != nil {
			t.Fatal(err)
		}
		for _, w := range []string{want, "old  http://10.0.0.4:8000", "new  program sha256 d191cf6b8102,"} {
			if !strings.Contains(b.String(), w) {
				t.Errorf("got\n%s\nwant %q", b.String(), w)
			}
		}
	}
	c.Verdict, c.Rows = baseline.OverallNotCompared, []baseline.Row{{Scenario: "normal", Metric: "p95", Gating: true, Change: baseline.NotCompared}}
	if lines := report.VerdictLines(c); strings.Contains(strings.Join(lines, "\n"), "6 of 6") {
		t.Errorf("said twice: %q", lines)
	}
}
