package targets_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/golden"
	"vitals/targets"
)

// Every file in testdata/bad is one mistake, and the .want beside it what is
// said about it. A new file is a new case.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			_, err = targets.ParseFile(f, filepath.Base(file))
			if err == nil {
				t.Fatal("got no error")
			}
			golden.Check(t, []byte(err.Error()+"\n"), "bad/"+strings.TrimSuffix(filepath.Base(file), ".yaml")+".want")
		})
	}
}

func TestProduction(t *testing.T) {
	var got []string
	for _, s := range targets.Production() {
		only := ""
		if len(s.Only) > 0 {
			only = " " + strings.Join(s.Only, ",")
		}
		got = append(got, s.Text+only)
	}
	want := []string{
		"p95 < 300ms normal,peak,spike",
		"errors < 0.1%",
		"rps >= 500 peak",
		"cpu < 70% normal,peak",
		"lockout.admitted == 5",
		"lockout.bystanders == 0",
		"lockout.leaked == 0",
		"intruders.leaked == 0",
		"intruders.wrong == 0",
		"intruders.excess == 0",
		"intruders.harmed == 0",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	for scenario, want := range map[string]bool{"stress": false, "siege": false, "smoke": true, "mine": true} {
		if got := targets.Production()[1].Asked(scenario); got != want {
			t.Errorf("errors of %s: asked %v, want %v", scenario, got, want)
		}
	}
}

func TestOpenUnknown(t *testing.T) {
	_, err := targets.Open("prodution")
	want := `no built-in targets named "prodution" (did you mean "production"?)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCheck(t *testing.T) {
	in := targets.Scope{Scenario: "peak", Steps: []string{"list medications", "create medication"}, Phases: []string{"ramp", "hold"}}
	for _, c := range []struct{ text, check, abort string }{
		{text: "p95 < 300ms"},
		{text: "p95(create medication) > 1s for 10s", check: `1:1: "p95(create medication) > 1s for 10s": a target is judged over the whole window, not for 10s (windows are for abort)`},
		{text: "p95(create medicaton) < 1s", check: `1:1: "p95(create medicaton) < 1s": scenario peak has no step "create medicaton" (did you mean "create medication"?)`,
			abort: `1:1: "p95(create medicaton) < 1s": scenario peak has no step "create medicaton" (did you mean "create medication"?)`},
		{text: "p99 < 1s during hodl", check: `1:1: "p99 < 1s during hodl": scenario peak has no phase "hodl" (did you mean "hold"?)`,
			abort: `1:1: "p99 < 1s during hodl": scenario peak has no phase "hodl" (did you mean "hold"?)` + "\n" +
				`1:1: "p99 < 1s during hodl": an abort rule watches the last seconds, not a phase (leave it out)`},
		{text: "recovery < 30s", abort: `1:1: "recovery < 30s": recovery is not known before the run's end (known: cpu, dropped, errors, failed, late, max, p50, p95, p99, refused, rps)`},
		{text: "errors(create medication) < 1%", abort: `1:1: "errors(create medication) < 1%" cannot end a run (of one step only p95 is known during the run)`},
	} {
		s, err := targets.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		s.Line, s.Col = 1, 1
		for what, got := range map[string]error{c.check: targets.Check([]targets.Target{s}, in), c.abort: targets.CheckAbort([]targets.Target{s}, in)} {
			if text(got) != what {
				t.Errorf("%s:\n got %s\nwant %s", c.text, text(got), what)
			}
		}
	}
	elsewhere := targets.Target{Metric: "p95", Step: "no such", Only: []string{"normal"}}
	if err := targets.Check([]targets.Target{elsewhere}, in); err != nil {
		t.Errorf("a sentence of another scenario: got %v, want none", err)
	}
}

func TestCheckOnly(t *testing.T) {
	known := []string{"normal", "peak", "stress", "spike", "smoke", "siege"}
	if err := targets.CheckOnly(targets.Production(), known); err != nil {
		t.Errorf("production: got %v", err)
	}
	s := targets.Target{Text: "rps >= 1", Only: []string{"peak", "paek"}, File: "t.yaml", Line: 2, Col: 5}
	want := `t.yaml:2:5: "rps >= 1": only names "paek", which is no scenario of this run and not built in (did you mean "peak"?)`
	if got := text(targets.CheckOnly([]targets.Target{s}, known)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
