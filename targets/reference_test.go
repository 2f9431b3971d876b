package targets_test

import (
	"fmt"
	"strings"
	"testing"

	"vitals/internal/golden"
	"vitals/targets"
)

// The reference lists what a sentence may begin with, as the parser has it.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| metric | limit | of a step | of a phase | in `abort` | what it is |\n|---|---|---|---|---|---|\n")
	may := map[bool]string{true: "yes", false: ""}
	for _, name := range targets.Metrics() {
		limit := map[targets.Unit]string{targets.Number: "number", targets.Time: "time", targets.Share: "share", targets.PerRate: "rate"}[(targets.Target{Metric: name}).Unit()]
		example := map[string]string{"number": "1", "time": "1s", "share": "1%", "rate": "1/s"}[limit]
		takes := func(sentence string, abort bool) bool {
			parsed, err := targets.Parse(sentence)
			if err != nil {
				return false
			}
			scope := targets.Scope{Scenario: "s", Steps: []string{"a"}, Phases: []string{"p"}}
			if abort {
				return targets.CheckAbort([]targets.Target{parsed}, scope) == nil
			}
			return targets.Check([]targets.Target{parsed}, scope) == nil
		}
		if !takes(name+" < "+example, false) {
			t.Errorf("%s < %s is no target", name, example)
		}
		about := targets.About(name)
		if about == "" {
			t.Errorf("%s is not explained", name)
		}
		ofStep := takes(name+"(a) < "+example, false)
		abort := may[takes(name+" < "+example+" for 10s", true)]
		if abort != "" && ofStep && !takes(name+"(a) < "+example+" for 10s", true) {
			abort = "whole only"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", name, limit, may[ofStep], may[takes(name+" < "+example+" during p", false)], abort, about)
	}
	b.WriteString("\n")
	golden.Section(t, b.String(), "../docs/targets.md", "metrics")
}
