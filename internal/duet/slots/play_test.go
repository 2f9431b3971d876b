package slots

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline/gate"
	"vitals/internal/baseline/stats"
	"vitals/internal/exit"
	"vitals/internal/harness"
)

const scenario = `name: NAME
arrivals: {rate: 1/s, run_for: 60s}
journeys:
  - name: reader
    steps:
      - {name: read, get: /health}
`

// asked is a duet of two files whose names are not their scenarios'.
func asked(t *testing.T, names ...string) Options {
	t.Helper()
	o := Options{Base: "a", Cand: "b", Looks: stats.DefaultLooks(), Measure: time.Minute, Compare: gate.Options{Format: "text"}}
	o.Run = harness.Options{Out: t.TempDir()}
	for i, name := range names {
		path := filepath.Join(t.TempDir(), string(rune('x'+i))+".yaml")
		if err := os.WriteFile(path, []byte(strings.Replace(scenario, "NAME", name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Run.Scenarios = append(o.Run.Scenarios, path)
	}
	return o
}

// TestGateNamesScenarios: --gate of a duet names scenarios as compare's does, whatever
// the files are called; nil leaves the default, stress, spike and siege.
func TestGateNamesScenarios(t *testing.T) {
	for _, c := range []struct {
		gate, explain []string
		err           string
	}{
		{nil, nil, ""},
		{[]string{"one"}, []string{"two"}, ""},
		{[]string{"one", "two"}, []string{}, ""},
		{[]string{"tow"}, nil, `--gate tow: no such scenario; there are one, two (did you mean "two"?)`},
	} {
		o := asked(t, "one", "two")
		o.Compare.Gate = c.gate
		got, err := o.check()
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("--gate %s: got %v, want %s", c.gate, err, c.err)
			}
			if err := Play(t.Context(), t.Context(), o, harness.Streams{}); exit.Code(err) != exit.Usage {
				t.Errorf("--gate %s: got exit %d of the duet, want %d", c.gate, exit.Code(err), exit.Usage)
			}
		case err != nil || !slices.Equal(got.Explain, c.explain) || (got.Explain == nil) != (c.explain == nil):
			t.Errorf("--gate %s: got %q to explain, %v; want %q", c.gate, got.Explain, err, c.explain)
		}
	}
}
