package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"vitals/internal/baseline/stats"
)

var p6 = []float64{1.30, .98, 1.18, 1.02, 1.14}

func TestSwapTurnsWorseIntoBetter(t *testing.T) { // C8
	shared := []float64{150, 220, 300, 180, 250}
	for _, c := range []struct {
		old, new    []float64
		there, back stats.Verdict
	}{
		{o5, []float64{240, 243, 239, 238, 244}, stats.Worse, stats.Better},
		{shared, times(shared, 1.15, 1.14, 1.16, 1.15, 1.145), stats.Worse, stats.Better},
		{o10, times(o10, 1.30, .98, 1.18, 1.02, 1.14, 1.08, 1.22, 1.03, 1.17, 1.10), stats.Worse, stats.Better},
		{o5, []float64{201, 199, 200, 202, 198}, stats.NoChange, stats.NoChange},
	} {
		_, there := judge(c.old, c.new, nil)
		_, back := judge(c.new, c.old, nil)
		if there.Verdict != c.there || back.Verdict != c.back {
			t.Errorf("got %s and %s, want %s and %s", there.Verdict, back.Verdict, c.there, c.back)
		}
	}
}

func TestScaleChangesOnlyTheFloor(t *testing.T) { // C9
	new := []float64{240, 243, 239, 238, 244}
	thousand := func(xs []float64) []float64 {
		out := slices.Clone(xs)
		for i := range out {
			out[i] *= 1000
		}
		return out
	}
	e1, j1 := judge(o5, new, nil)
	e2, j2 := judge(thousand(o5), thousand(new), nil)
	if math.Abs(e1.Effect-e2.Effect) > 1e-12 || j1.Verdict != j2.Verdict || math.Abs(j1.Test.Low-j2.Test.Low) > 1e-9 {
		t.Errorf("got %v and %v", j1, j2)
	}
	small := gate
	small.Old, small.Floor = 0.2, 1 // +20 % of 0.2 ms is not a matter
	if j := stats.Judge(e1, small, true); j.Verdict != stats.NoChange || !j.Floor {
		t.Errorf("below the floor: got %s", j.Verdict)
	}
	small.Old = 200
	if j := stats.Judge(e1, small, true); j.Verdict != stats.Worse {
		t.Errorf("above the floor: got %s", j.Verdict)
	}
}

func TestOrderOfPairsIsNothing(t *testing.T) { // C10
	new := times(o10, 1.30, .98, 1.18, 1.02, 1.14, 1.08, 1.22, 1.03, 1.17, 1.10)
	e, j := judge(o10, new, nil)
	perm := rand.New(rand.NewPCG(1, 2)).Perm(10)
	var po, pn []float64
	for _, i := range perm {
		po, pn = append(po, o10[i]), append(pn, new[i])
	}
	if e2, j2 := judge(po, pn, nil); math.Abs(e.Effect-e2.Effect) > 1e-12 || j.Verdict != j2.Verdict {
		t.Errorf("got %v and %v", j, j2)
	}
	shared := []float64{150, 220, 300, 180, 250}
	moved := times(shared, 1.15, 1.14, 1.16, 1.15, 1.145)
	moved = append(moved[1:], moved[0]) // pairs torn apart
	if _, j := judge(shared, moved, nil); j.Verdict != stats.Inconclusive {
		t.Errorf("permuted within one arm: got %s, want inconclusive", j.Verdict)
	}
}

func TestBHNeverAddsARejection(t *testing.T) { // C11
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var p []float64
		alone := 0
		for range 12 {
			d := make([]float64, 5)
			for i := range d {
				d[i] = math.Log(p6[i]) + 0.1*r.NormFloat64()
			}
			p = append(p, stats.Paired(d, nil).P())
			if p[len(p)-1] <= gate.Alpha {
				alone++
			}
		}
		rejected, q := stats.BH(p, gate.Alpha)
		together := 0
		for i := range p {
			if rejected[i] {
				together++
			}
			if q[i] < p[i]-1e-15 || rejected[i] != (q[i] <= gate.Alpha) {
				t.Fatalf("p %g: adjusted %g, rejected %v", p[i], q[i], rejected[i])
			}
		}
		if together > alone {
			t.Fatalf("BH rejects %d, each alone %d", together, alone)
		}
	}
	// The paper's own rule: the largest i with p(i) ≤ q·i/m.
	got, _ := stats.BH([]float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}, 0.05)
	if n := len(slices.DeleteFunc(got, func(r bool) bool { return !r })); n != 4 {
		t.Errorf("example of the paper: %d rejected, want 4", n)
	}
}

func TestMDE(t *testing.T) { // percent, two-sided 5 %, without and with history of 20 degrees of freedom
	ks := []int{3, 5, 8, 10, 15, 20}
	for _, c := range []struct {
		sd         float64
		alone, has []float64
	}{
		{0.03, []float64{10, 5, 4, 3, 2, 2}, []float64{5, 4, 3, 3, 2, 2}},
		{0.05, []float64{18, 9, 6, 5, 4, 3}, []float64{9, 7, 5, 5, 4, 3}},
		{0.07, []float64{26, 12, 8, 7, 6, 5}, []float64{13, 10, 7, 7, 5, 5}},
		{0.10, []float64{39, 18, 12, 10, 8, 7}, []float64{18, 14, 11, 10, 8, 7}},
		{0.15, []float64{63, 29, 19, 16, 12, 10}, []float64{29, 22, 17, 15, 12, 10}},
	} {
		for i, k := range ks {
			for _, h := range []struct{ nu0, want float64 }{{0, c.alone[i]}, {20, c.has[i]}} {
				got := 100 * math.Expm1(stats.MDE(c.sd*c.sd, k, h.nu0, 0.05))
				if math.Abs(got-h.want) > 0.6 {
					t.Errorf("sd %g, k %d, history %g: got %.2f %%, want %.0f %%", c.sd, k, h.nu0, got, h.want)
				}
			}
		}
	}
}

func TestPrior(t *testing.T) {
	quiet := []float64{.01, -.02, .015, -.01, .02, .01}
	if stats.NewPrior(quiet[:5]) != nil {
		t.Error("4 degrees of freedom: got a prior")
	}
	p := stats.NewPrior(quiet, quiet, quiet, quiet, quiet)
	if p == nil || p.Nu != 20 {
		t.Fatalf("got %+v, want at most 20 degrees of freedom", p)
	}
	lucky := stats.Paired([]float64{.1, .1001, .0999}, p)
	if lucky.Prior == nil || lucky.Nu != 22 || lucky.Variance >= p.Variance || lucky.Variance <= 0.0001 {
		t.Errorf("a lucky spread: got %+v, want it drawn up", lucky)
	}
	noisy := stats.Paired([]float64{.1, .3, -.1}, p)
	if noisy.Prior != nil || noisy.Nu != 2 {
		t.Errorf("a noisier day: got %+v, want history dropped", noisy)
	}
}

func TestRobustFigures(t *testing.T) {
	xs := []float64{1, 2, 3, 4, 100}
	if got := stats.HodgesLehmann(xs); got != 3 {
		t.Errorf("Hodges-Lehmann: got %g, want 3", got)
	}
	if got := stats.Outliers([]float64{.1, .12, .09, .11, .9}); !slices.Equal(got, []int{4}) {
		t.Errorf("outliers: got %v", got)
	}
	if got := stats.TheilSen([]float64{0, 1, 2, 3, 4}, []float64{0, 2, 4, 6, 80}); got != 2 {
		t.Errorf("Theil-Sen: got %g, want 2", got)
	}
	if up, none := stats.Rising([]float64{1, 2, 3, 5, 4, 6}), stats.Rising([]float64{3, 1, 6, 2, 5, 4}); up > 0.02 || none < 0.2 {
		t.Errorf("Mann-Kendall: got p %.3f of a rise and %.3f of none", up, none)
	}
}

func TestLooks(t *testing.T) {
	for _, l := range []stats.Looks{nil, {5, 10, 15, 20}, {10, 5}, {5, 5}, {2, 5}} {
		if l.Check() == nil {
			t.Errorf("%v: got no error", l)
		}
	}
	if l := stats.DefaultLooks(); l.Check() != nil || l.Alpha() != 0.0221 || l.Max() != 15 {
		t.Errorf("got %v", l)
	}
}

func TestNoNaN(t *testing.T) {
	for _, d := range [][]float64{nil, {0}, {0, 0}, {0, 0, 0}, {1, 1, 1}} {
		e := stats.Paired(d, nil)
		j := stats.Judge(e, gate, e.P() <= gate.Alpha)
		for _, x := range []float64{e.Effect, j.P, j.Test.Low, j.Test.High, j.Equal.Low, j.Equal.High} {
			if math.IsNaN(x) {
				t.Errorf("%v: got NaN in %+v", d, j)
			}
		}
	}
	e := stats.NewErrorRate(nil, nil)
	if j := e.Judge(stats.Rule{Alpha: 0.05, Tolerance: 0.001}, false); j.Verdict != stats.Inconclusive {
		t.Errorf("error rate of nothing: got %s", j.Verdict)
	}
}

// Nights that are nearly alike hide no change between them: rates of users who wait, 233
// to 190 requests/s and 214, by a part in a thousand.
func TestChangePointsOfQuietNights(t *testing.T) {
	nights := []float64{233, 233, 232.8, 232.8, 233, 189.2, 189.4, 189.6, 213.6, 213.8, 213.8}
	for _, sign := range []float64{1, -1} {
		for n, want := range map[int][]int{8: {5}, 11: {5, 8}} {
			var x []float64
			for _, v := range nights[:n] {
				x = append(x, sign*math.Log(v))
			}
			var got []int
			for _, c := range stats.ChangePoints(x) {
				got = append(got, c.At)
			}
			if !slices.Equal(got, want) {
				t.Errorf("sign %v, %d nights: got changes at %v, want %v", sign, n, got, want)
			}
		}
	}
}
