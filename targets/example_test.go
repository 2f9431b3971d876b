package targets_test

import (
	"fmt"
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

func ExampleParse() {
	t, err := targets.Parse("p95(create medication) < 250ms")
	fmt.Println(t.Metric, t.Step, t.Op, t.Unit().Format(t.Limit), err)
	_, err = targets.Parse("errors < 0.1")
	fmt.Println(err)
	// Output:
	// p95 create medication < 250ms <nil>
	// 1:10: errors: found "0.1", expected a share such as 0.1% (write the unit: 0.1% or 10%)
}

func ExampleJudge() {
	h := measure.NewHistogram()
	for range 1000 {
		h.Record(120 * time.Millisecond)
	}
	r := &measure.Result{Scenario: "peak", Took: 2 * time.Second, Phases: []measure.PhaseResult{{
		Phase: measure.Phase{Name: "hold", To: 2 * time.Second, Judged: true},
		Steps: []measure.StepResult{{Step: measure.Step{Name: "list"}, Counts: measure.Counts{Planned: 1001, Sent: 1001, Served: 1000, Failed: 1, Errors: 1}, Response: h}},
	}}}
	for _, v := range targets.Judge(targets.Production(), r)[:5] {
		fmt.Println(v)
	}
	// Output:
	// PASS p95 < 300ms (got 120.1ms, n 1000)
	// PASS errors < 0.1% (got 0.0999%, n 1001)
	// PASS rps >= 500 (got 500/s, n 1000)
	// NO DATA cpu < 70% (it takes the system's metrics page and the cores that it may use (--metrics, --cores))
	// NO DATA lockout.admitted == 5 (it takes an intruder that guesses passwords to its end)
}
