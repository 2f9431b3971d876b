package gate_test

import (
	"bytes"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/gate"
	"vitals/internal/baseline/stats"
	"vitals/internal/exit"
	"vitals/internal/measure"
)

// arm is one file of a duet of five pairs, whose p95 in milliseconds are these.
func arm(name string, g *baseline.Gate, p95s ...float64) *baseline.File {
	f := baseline.From(baseline.About{Session: baseline.Session{ID: "d1"}}, nil)
	f.Design = baseline.Design{Mode: baseline.ModeDuet, Looks: stats.DefaultLooks(), Gate: g}
	sc := baseline.Scenario{Name: "normal", Model: "arrivals", Config: "c", LoadModel: "l"}
	for i, ms := range p95s {
		h := measure.NewHistogram()
		for range 1200 {
			h.Record(time.Duration(ms * float64(time.Millisecond)))
		}
		sc.Runs = append(sc.Runs, baseline.Run{
			Arm: name, Pair: i, Valid: true, Window: 60e6, Offered: 1200, Sent: 1200, Completed: 1200, Achieved: 1,
			Endpoints: []baseline.Endpoint{{Name: "list", N: 1200, Hist: h, P95: int64(1000 * ms)}},
		})
	}
	f.Scenarios = []baseline.Scenario{sc}
	f.Summarise()
	return f
}

// TestFilesOfADuetAreJudgedAsTheDuetWas: what a duet may not fail, its files must not.
func TestFilesOfADuetAreJudgedAsTheDuetWas(t *testing.T) {
	worse := []float64{240, 243, 239, 238, 244}
	prior := map[string]*stats.Prior{"normal p95": {Variance: math.Pow(0.07, 2), Nu: 10}}
	for name, c := range map[string]struct {
		gate   *baseline.Gate
		policy gate.Policy
		code   int
		words  string
	}{
		"a qualified machine":         {&baseline.Gate{Smallest: map[string]float64{"normal p95": 0.1}, Prior: prior}, gate.Warn, exit.Fail, "verdict: WORSE"},
		"a file that does not say":    {nil, gate.Warn, exit.Fail, "verdict: WORSE"},
		"not qualified":               {&baseline.Gate{Unfit: "no qualification of this machine"}, gate.Warn, exit.Pass, "this gate cannot fail a build: no qualification of this machine"},
		"not qualified, to fail":      {&baseline.Gate{Unfit: "no qualification of this machine"}, gate.Fail, exit.NoAnswer, "verdict: INCONCLUSIVE"},
		"below what it can see":       {&baseline.Gate{Smallest: map[string]float64{"normal p95": 0.3}, Prior: prior}, gate.Fail, exit.NoAnswer, "may call nothing below +30 % worse"},
		"a duet that ended too early": {&baseline.Gate{Ended: "the duet was cut short after 5 of 15 pairs: no room"}, gate.Pass, exit.NoAnswer, "verdict: INVALID: the duet was cut short after 5 of 15 pairs"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, b := filepath.Join(dir, "base.json.gz"), filepath.Join(dir, "cand.json.gz")
			if err := baseline.Write(a, arm("A", c.gate, 200, 203, 198, 201, 199)); err != nil {
				t.Fatal(err)
			}
			if err := baseline.Write(b, arm("B", c.gate, worse...)); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := gate.Files(t.Context(), a, b, gate.Options{Policy: c.policy, Format: "text"}, &out, io.Discard)
			if got := exit.Code(err); got != c.code || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), c.words) {
				t.Errorf("got exit %d, want %d and %q:\n%s", got, c.code, c.words, &out)
			}
		})
	}
}

// TestNamesOfGate: a name that no scenario has would leave nothing that gates, or less
// than was asked for.
func TestNamesOfGate(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "base.json.gz"), filepath.Join(dir, "cand.json.gz")
	for path, p95 := range map[string]float64{a: 200, b: 340} {
		f := arm("A", nil, p95)
		f.Design, f.Session.ID = baseline.Design{Mode: baseline.ModeSolo}, path
		if path == a { // a scenario that only one of the files has
			only := f.Scenarios[0]
			only.Name = "peak"
			f.Scenarios = append(f.Scenarios, only)
			f.Summarise()
		}
		if err := baseline.Write(path, f); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		gate  []string
		code  int
		words string
	}{
		{[]string{"nosuch"}, exit.Usage, "--gate nosuch: no such scenario; there are normal, peak"},
		{[]string{"normal", "paek"}, exit.Usage, `--gate paek: no such scenario; there are normal, peak (did you mean "peak"?)`},
		{[]string{"peak"}, exit.NoAnswer, "verdict: NOT COMPARABLE: nothing that gates is in both files"},
		{[]string{"normal"}, exit.Fail, "verdict: WORSE"},
	} {
		var out bytes.Buffer
		err := gate.Files(t.Context(), a, b, gate.Options{Policy: gate.Warn, Format: "text", Gate: c.gate}, &out, io.Discard)
		said := strings.Join(strings.Fields(out.String()), " ")
		if err != nil {
			said += err.Error()
		}
		if got := exit.Code(err); got != c.code || !strings.Contains(said, c.words) {
			t.Errorf("--gate %s: got exit %d, want %d and %q:\n%s", c.gate, got, c.code, c.words, said)
		}
	}
}

// TestToleranceIsANumber: NaN is in no order with anything, and would disarm the gate.
func TestToleranceIsANumber(t *testing.T) {
	for _, text := range []string{"p95=NaN%", "p95=nan", "p95=Inf%", "p95=-Inf", "p95=0", "p95=1001"} {
		o := gate.Options{Format: "text", Tolerance: []string{text}}
		if _, err := o.Check(); err == nil {
			t.Errorf("--tolerance %s was taken", text)
		}
	}
	o := gate.Options{Format: "text", Tolerance: []string{"p95=15%"}}
	if got, err := o.Check(); err != nil || got["p95"] != 0.15 {
		t.Errorf("got %v, %v", got, err)
	}
}
