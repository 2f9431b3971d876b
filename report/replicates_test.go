package report_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/report"
)

// repeated is a document of one scenario that was run three times.
func repeated(t *testing.T) *report.Document {
	d := document(t)
	run := d.Runs[0]
	d.Runs, d.Reasons = nil, nil
	for i := range 3 {
		r := run
		r.Result = result(t, "normal", 1+float64(i))
		d.Runs = append(d.Runs, r)
	}
	return d
}

// TestReplicatesAreOneScenario: in every form that names the runs.
func TestReplicatesAreOneScenario(t *testing.T) {
	for format, want := range map[string][]string{
		"terminal":    {"1 scenario, 3 replicates, ", "normal (2 of 3)"},
		"verbose":     {"1 scenario, 3 replicates, ", "── normal (3 of 3) ─"},
		"markdown":    {"1 scenario, 3 replicates, ", " normal (1 of 3)\n"},
		"html":        {"1 scenario, 3 replicates, ", "normal (2 of 3)"},
		"junit":       {`<testsuite name="vitals.normal (2 of 3)"`},
		"openmetrics": {`vitals_requests{scenario="normal (1 of 3)"}`, `vitals_target_met{scenario="normal (3 of 3)",target="p95 < 300ms"}`},
	} {
		r, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		text := string(render(t, r, repeated(t)))
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: want %q in\n%.1500s", format, w, text)
			}
		}
	}
}

// TestReplicatesOfSeveral: scenarios that were run as often as each other, and not.
func TestReplicatesOfSeveral(t *testing.T) {
	d := document(t)
	head := func(d *report.Document) string {
		text, _, _ := strings.Cut(string(render(t, report.Summary(report.Style{}, ""), d)), "\n")
		return text
	}
	if got := head(d); !strings.Contains(got, "  2 scenarios, 5 of 8") {
		t.Errorf("got %q", got)
	}
	d.Runs = append(d.Runs, d.Runs...)
	if got := head(d); !strings.Contains(got, "  2 scenarios, 2 replicates each, ") {
		t.Errorf("got %q", got)
	}
	d.Runs = d.Runs[:3]
	if got := head(d); !strings.Contains(got, "  2 scenarios, 3 runs, ") {
		t.Errorf("got %q", got)
	}
}

// TestReplicatesAreOneDistribution: their answers are merged.
func TestReplicatesAreOneDistribution(t *testing.T) {
	d := repeated(t)
	all := measure.NewHistogram()
	for _, r := range d.Runs {
		all.Merge(r.Result.Total(true, true).Response)
	}
	text := string(render(t, report.HGRM, d))
	if total := regexp.MustCompile(`Total count *= *(\d+)`).FindStringSubmatch(text); total == nil || total[1] != fmt.Sprint(all.N()) {
		t.Errorf("3 runs with %d answers: got %q", all.N(), total)
	}
}

// TestRunThatCannotBeABaselineSaysSo: a run that passes and that compare would refuse.
func TestRunThatCannotBeABaselineSaysSo(t *testing.T) {
	const words = "cannot be a baseline (vitals compare): normal: no valid run: ended early: the server is gone"
	d := repeated(t)
	d.Runs = d.Runs[:1]
	for _, format := range []string{"terminal", "verbose"} {
		r, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(render(t, r, d)); strings.Contains(text, "baseline") {
			t.Errorf("%s: a sound run:\n%.900s", format, text)
		}
		d.Runs[0].Result.EndedEarly = "the server is gone"
		if text := strings.Join(strings.Fields(string(render(t, r, d))), " "); !strings.Contains(text, words) {
			t.Errorf("%s: want %q in\n%.900s", format, words, text)
		}
		d.Runs[0].Result.EndedEarly = ""
	}
}
