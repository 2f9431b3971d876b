package harness

import (
	"testing"

	"vitals/internal/exit"
	"vitals/internal/measure"
	"vitals/report"
)

// The baseline of a session that was interrupted in its second run of three keeps how
// many were asked for, and that it was cut short.
func TestBaselineOfAPartialSession(t *testing.T) {
	run := func(partial bool) report.Run {
		return report.Run{Result: &measure.Result{Scenario: "normal", Partial: partial}}
	}
	d := &report.Document{Repeat: 3, Runs: []report.Run{run(false), run(true)}, Partial: true, Exit: exit.Interrupted}
	if f := Baseline(d); f.Design.Planned != 3 || f.Design.Ended != "interrupted" || len(f.Scenarios[0].Runs) != 1 {
		t.Errorf("got %+v with %d runs", f.Design, len(f.Scenarios[0].Runs))
	}
	d = &report.Document{Runs: []report.Run{run(false), run(false)}}
	if f := Baseline(d); f.Design.Planned != 2 || f.Design.Ended != "" {
		t.Errorf("a whole session: got %+v", f.Design)
	}
}
