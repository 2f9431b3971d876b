package report

import (
	"strings"
	"testing"

	"vitals/internal/baseline"
)

// A duet's document holds its comparison and no runs: that is what is shown.
func TestDocumentOfADuet(t *testing.T) {
	var b strings.Builder
	d := &Document{Schema: Schema, Verdict: Pass, Comparison: &baseline.Comparison{Verdict: baseline.OverallPass}}
	if err := Summary(Style{Width: 100}, "")(&b, d); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "verdict: PASS") || strings.Contains(got, "0 scenarios") {
		t.Errorf("got %s", got)
	}
}
