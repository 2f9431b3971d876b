package baseline_test

import (
	"strings"
	"testing"

	"vitals/internal/baseline"
)

// TestDuetThatDecidesCanBePasted: it names what the runs were made of, files as files.
func TestDuetThatDecidesCanBePasted(t *testing.T) {
	file := func(id, url string) *baseline.File {
		f := solo(id, map[string]float64{"a": 200, "b": 230}[id])
		f.Scenarios[0].Named = "my scenarios/morning.yaml"
		if url != "" {
			f.Subject = baseline.Subject{Ref: url}
			f.Env.Hard = map[string]any{"stack": "url"}
		}
		f.Session.Flags = []string{"--profile", "p.yaml", "--targets", "none"}
		return f
	}
	const to, also = "http://10.0.0.4", "http://10.0.0.5"
	for name, c := range map[string]struct {
		old, now *baseline.File
		opt      baseline.Options
		want     string
		note     bool
	}{
		"builds": {old: file("a", ""), now: file("b", ""),
			want: "vitals duet 'my scenarios/morning.yaml' --base rev-a --cand rev-b --profile p.yaml --targets none"},
		"deployments": {old: file("a", to), now: file("b", also),
			want: "vitals duet 'my scenarios/morning.yaml' --base-url http://10.0.0.4 --cand-url http://10.0.0.5 --profile p.yaml --targets none"},
		"one deployment": {old: file("a", to), now: file("b", to), note: true,
			want: "vitals duet 'my scenarios/morning.yaml' --base-url OLD --cand-url NEW --profile p.yaml --targets none"},
		"what was asked": {old: file("a", ""), now: file("b", ""), opt: baseline.Options{Explain: []string{}, Tolerance: map[string]float64{"cpu per request": 0.15}},
			want: "vitals duet 'my scenarios/morning.yaml' --base rev-a --cand rev-b --profile p.yaml --targets none --gate normal --tolerance 'cpu per request=15%'"},
	} {
		got := compare(t, c.old, c.now, c.opt)
		if got.Decides != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got.Decides, c.want)
		}
		if notes := strings.Join(got.Notes, "\n"); strings.Contains(notes, "in the place of") != c.note {
			t.Errorf("%s: got notes %q", name, notes)
		}
	}
}
