package baseline_test

import (
	"strings"
	"testing"

	"vitals/internal/baseline"
)

// TestToleranceIsAFactor: 5 % down is -4.8 %, which the line says where it decides.
func TestToleranceIsAFactor(t *testing.T) {
	a, b := duet(o5, o5)
	for i := range b.Scenarios[0].Runs {
		b.Scenarios[0].Runs[i].Achieved = 0.952 + 0.0001*float64(i)
	}
	const words = "the tolerance is a factor, 1.05 either way: down it is -4.8 %"
	r := row(t, compare(t, a, b, baseline.Options{Tolerance: map[string]float64{"achieved": 0.05}}), "achieved")
	if r.Change != baseline.Worse || r.Delta < -0.05 || !strings.Contains(r.Line(), words) {
		t.Errorf("got %s", r.Line())
	}
	r = row(t, compare(t, a, b, baseline.Options{Tolerance: map[string]float64{"achieved": 0.02}}), "achieved")
	if r.Change != baseline.Worse || strings.Contains(r.Line(), "factor") {
		t.Errorf("far beyond the tolerance: got %s", r.Line())
	}
}

// TestNoChangeSaysByWhichInterval: the interval that is shown may be wider than the
// tolerance, that of the tests is not.
func TestNoChangeSaysByWhichInterval(t *testing.T) {
	a, b := duet(o5, []float64{215, 195, 205, 205, 204})
	tol := baseline.Options{Tolerance: map[string]float64{"p95": 0.085}}
	r := row(t, compare(t, a, b, tol), "p95")
	if r.Change != baseline.NoChange || r.Interval.High < r.Tolerance || !strings.Contains(r.Line(), "held to the tolerance by one-sided tests, whose interval is [") {
		t.Errorf("got %s", r.Line())
	}
	a, b = duet(o5, o5)
	if r := row(t, compare(t, a, b, tol), "p95"); r.Change != baseline.NoChange || strings.Contains(r.Line(), "one-sided") {
		t.Errorf("well inside: got %s", r.Line())
	}
}

// TestNoFailureOfFewRequests: no failure is no change, and too few requests to bound it
// by the tolerance are told.
func TestNoFailureOfFewRequests(t *testing.T) {
	old, now := solo("a", 200), solo("b", 200)
	r := row(t, compare(t, old, now, baseline.Options{}), "errors")
	if want := "the rate is below 0.150 %, which is more than the tolerance: to show that takes 3000 requests a side"; r.Change != baseline.NoChange || !strings.Contains(r.Line(), want) {
		t.Errorf("got %s", r.Line())
	}
	old.Scenarios[0].Runs[0].Endpoints[0].N, now.Scenarios[0].Runs[0].Endpoints[0].N = 6000, 6000
	if r := row(t, compare(t, old, now, baseline.Options{}), "errors"); strings.Contains(r.Line(), "more than") {
		t.Errorf("got %s", r.Line())
	}
}
