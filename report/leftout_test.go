package report_test

import (
	"strings"
	"testing"

	"vitals/internal/measure"
	"vitals/report"
)

// Runs that passed and will not be compared are told at the end of a repeated run.
func TestRunsThatWillBeLeftOutAreTold(t *testing.T) {
	d := document(t)
	d.Runs = d.Runs[:1]
	d.Runs[0].Verdict = report.Pass
	for range 2 {
		r := d.Runs[0]
		r.Result = result(t, "normal", 1)
		d.Runs = append(d.Runs, r)
	}
	const want = "1 of 3 runs will be left out of comparisons: the generator took 90 % of the machine"
	told := func() bool {
		return strings.Contains(strings.Join(strings.Fields(string(render(t, report.Terminal, d))), " "), want)
	}
	if told() {
		t.Error("told of none")
	}
	d.Runs[1].Result.Health = measure.Health{Lag: d.Runs[1].Result.Health.Lag, CPU: 0.9}
	if !told() {
		t.Errorf("not told:\n%s", render(t, report.Terminal, d))
	}
}
