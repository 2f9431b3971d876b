package report_test

import (
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/report"
)

// Our own lag stands beside the figure that it is a part of, in every form for people.
func TestOwnLagStandsBesideP95(t *testing.T) {
	r := &measure.Result{Scenario: "x", Window: time.Second, Phases: []measure.PhaseResult{{
		Phase: measure.Phase{Judged: true}, Steps: []measure.StepResult{{Step: measure.Step{Name: "a"}, Response: measure.NewHistogram()}},
	}}}
	r.Phases[0].Steps[0].Response.Record(16800 * time.Microsecond)
	r.Health.Lag = measure.NewHistogram()
	r.Health.Lag.Record(12700 * time.Microsecond)
	d := &report.Document{Runs: []report.Run{{Result: r}}}
	for _, format := range []string{"terminal", "markdown", "html"} {
		rep, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := rep(&b, d); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "(own lag 12.7ms)") {
			t.Errorf("%s does not tell the lag", format)
		}
	}
}
