package stats_test

import (
	"fmt"
	"math"
	"testing"

	"vitals/internal/baseline/stats"
)

// The worked examples: figures computed apart from this program, held to the
// printed tenth.

var (
	o5  = []float64{200, 203, 198, 201, 199}
	o10 = []float64{200, 203, 198, 201, 199, 202, 197, 200, 204, 196}
)

// times is the product element by element, rounded to 0.1 ms as a report is.
func times(o []float64, by ...float64) []float64 {
	out := make([]float64, len(o))
	for i := range o {
		out[i] = math.Round(o[i]*by[i]*10) / 10
	}
	return out
}

func logRatios(old, new []float64) []float64 {
	d := make([]float64, len(old))
	for i := range old {
		d[i] = math.Log(new[i] / old[i])
	}
	return d
}

var gate = stats.Rule{Alpha: 0.0221, Tolerance: math.Log(1.10)}

// words is a judgement as the examples print it.
func words(e stats.Estimate, j stats.Judgement) string {
	test, equal := j.Test.Percent(), j.Equal.Percent()
	return fmt.Sprintf("%s %+.1f a[%+.1f,%+.1f] b[%+.1f,%+.1f]", j.Verdict, 100*math.Expm1(e.Effect),
		100*test.Low, 100*test.High, 100*equal.Low, 100*equal.High)
}

func judge(old, new []float64, prior *stats.Prior) (stats.Estimate, stats.Judgement) {
	e := stats.Paired(logRatios(old, new), prior)
	return e, stats.Judge(e, gate, e.P() <= gate.Alpha)
}

func TestExamplesOfPairs(t *testing.T) {
	shared := []float64{150, 220, 300, 180, 250}
	for _, c := range []struct {
		id       string
		old, new []float64
		verdict  stats.Verdict
		effect   float64 // percent
		test     *stats.Interval
		equal    *stats.Interval
		need     int
	}{
		{id: "P1", old: o5, new: []float64{201, 199, 200, 202, 198}, verdict: stats.NoChange, effect: -0.1, equal: &stats.Interval{Low: -1.6, High: 1.5}},
		{id: "P2", old: o5, new: []float64{240, 243, 239, 238, 244}, verdict: stats.Worse, effect: 20.3, test: &stats.Interval{Low: 17.8, High: 22.8}},
		{id: "P4", old: shared, new: times(shared, 1.15, 1.14, 1.16, 1.15, 1.145), verdict: stats.Worse, effect: 14.9, test: &stats.Interval{Low: 13.1, High: 16.8}},
		{id: "P6", old: o5, new: times(o5, 1.30, .98, 1.18, 1.02, 1.14), verdict: stats.Inconclusive, effect: 11.8, test: &stats.Interval{Low: -7.1, High: 34.5}, need: 13},
		{id: "P8", old: []float64{200, 200, 200, 200, 200}, new: []float64{200, 200, 200, 200, 200}, verdict: stats.NoChange, equal: &stats.Interval{Low: -1.3, High: 1.3}},
		{id: "P13", old: o10, new: times(o10, 1.30, .98, 1.18, 1.02, 1.14, 1.08, 1.22, 1.03, 1.17, 1.10), verdict: stats.Worse, effect: 11.8, test: &stats.Interval{Low: 3.5, High: 20.7}},
	} {
		e, j := judge(c.old, c.new, nil)
		got := words(e, j)
		if j.Verdict != c.verdict {
			t.Errorf("%s: got %s, want %s", c.id, got, c.verdict)
		}
		printed(t, c.id+" effect", 100*math.Expm1(e.Effect), c.effect)
		if c.test != nil {
			printed(t, c.id+" low", 100*j.Test.Percent().Low, c.test.Low)
			printed(t, c.id+" high", 100*j.Test.Percent().High, c.test.High)
		}
		if c.equal != nil {
			printed(t, c.id+" equality low", 100*j.Equal.Percent().Low, c.equal.Low)
			printed(t, c.id+" equality high", 100*j.Equal.Percent().High, c.equal.High)
		}
		if n := stats.NeedPairs(e, gate); c.need > 0 && n != c.need {
			t.Errorf("%s: needs %d pairs, want %d", c.id, n, c.need)
		}
	}

	e, j := judge(o5[:2], []float64{240, 243}, nil) // P18
	if j.Verdict != stats.Inconclusive || !j.TooFewK || e.K != 2 {
		t.Errorf("P18: got %s, want inconclusive for too few pairs", j.Verdict)
	}
}

// printed holds a figure to the tenth it is printed with.
func printed(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 0.0501 {
		t.Errorf("%s: got %.3f, want %.1f", what, got, want)
	}
}

func TestExamplesOfErrorRates(t *testing.T) {
	runs := func(failed ...int64) []stats.Errors {
		out := make([]stats.Errors, len(failed))
		for i, f := range failed {
			out[i] = stats.Errors{Failed: f, N: 6000}
		}
		return out
	}
	for _, c := range []struct {
		id         string
		old, new   []stats.Errors
		verdict    stats.Verdict
		low, high  float64 // points
		dispersion float64
		bound      float64
	}{
		{id: "R1", old: runs(0, 0, 0, 0, 0), new: runs(0, 0, 0, 0, 0), verdict: stats.NoChange, dispersion: 1, bound: 0.0001},
		{id: "R3", old: runs(30, 28, 33, 29, 30), new: runs(90, 95, 88, 91, 86), verdict: stats.Worse, low: 0.77, high: 1.23, dispersion: 1},
		{id: "R4", old: runs(30, 28, 33, 29, 30), new: runs(30, 29, 31, 30, 330), verdict: stats.Inconclusive, low: -1.30, high: 3.30, dispersion: 100},
	} {
		e := stats.NewErrorRate(c.old, c.new)
		rule := stats.Rule{Alpha: 0.0221, Tolerance: max(0.001, 0.25*e.Old)}
		j := e.Judge(rule, e.P() <= rule.Alpha)
		if j.Verdict != c.verdict {
			t.Errorf("%s: got %s, want %s", c.id, j.Verdict, c.verdict)
		}
		if math.Abs(e.Dispersion-c.dispersion) > 0.5 {
			t.Errorf("%s: dispersion %.2f, want %g", c.id, e.Dispersion, c.dispersion)
		}
		if math.Abs(e.Bound-c.bound) > 1e-9 {
			t.Errorf("%s: bound %g, want %g", c.id, e.Bound, c.bound)
		}
		if c.low != 0 && (math.Abs(100*j.Test.Low-c.low) > 0.00501 || math.Abs(100*j.Test.High-c.high) > 0.00501) {
			t.Errorf("%s: got [%.4f, %.4f], want [%.2f, %.2f]", c.id, 100*j.Test.Low, 100*j.Test.High, c.low, c.high)
		}
	}
}

// nz is reproducible normal noise: splitmix64 through the inverse error
// function.
func nz(seed, i uint64) float64 {
	x := seed*1_000_003 + i + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	u := (float64(x>>11) + 0.5) / (1 << 53)
	return math.Sqrt2 * math.Erfinv(2*u-1)
}

func TestNoise(t *testing.T) {
	for i, want := range []float64{0.035095, -1.762667, -0.755882, -1.579699, -0.321495} {
		if got := nz(11, uint64(i)); math.Abs(got-want) > 5e-7 {
			t.Errorf("nz(11, %d): got %.6f, want %.6f", i, got, want)
		}
	}
}

func TestExamplesOfFiles(t *testing.T) {
	history := make([]float64, 20)
	for i := range history {
		history[i] = math.Log(200) + 0.05*nz(1, uint64(i))
	}
	if m, sd := math.Exp(stats.Mean(history)), math.Sqrt(stats.Variance(history)); math.Abs(m-199.10) > 0.005 || math.Abs(sd-0.0440) > 5e-5 {
		t.Fatalf("history: got mean %.3f, sd %.5f, want 199.10 and 0.0440", m, sd)
	}
	s := stats.NewSessions(stats.LogFloor, history)
	rule := stats.Rule{Alpha: 0.05, Tolerance: math.Log(1.10), MinK: 1}
	compare := func(s stats.Sessions, old, new []float64) (stats.Estimate, stats.Judgement) {
		e := s.Compare(old, new, +1)
		return e, stats.Judge(e, rule, e.P() <= rule.Alpha)
	}

	e, j := compare(s, history[10:], []float64{stats.Mean(history)})
	if j.Verdict != stats.NoChange {
		t.Errorf("x1.00: got %s", words(e, j))
	}
	printed(t, "x1.00", 100*math.Expm1(e.Effect), -0.3)
	printed(t, "x1.00 low", 100*j.Equal.Percent().Low, -8.0)
	printed(t, "x1.00 high", 100*j.Equal.Percent().High, 7.9)

	e, j = compare(s, history[10:], []float64{stats.Mean(history) + math.Log(1.15)})
	if j.Verdict != stats.Worse {
		t.Errorf("x1.15: got %s", words(e, j))
	}
	printed(t, "x1.15 low", 100*j.Test.Percent().Low, 4.1)
	printed(t, "x1.15 high", 100*j.Test.Percent().High, 26.2)

	none := stats.NewSessions(stats.LogFloor, history[:9])
	if !none.Assumed {
		t.Errorf("9 sessions: got %+v, want assumed noise", none)
	}
	e, j = compare(none, []float64{math.Log(200)}, []float64{math.Log(280)})
	if j.Verdict != stats.Worse {
		t.Errorf("no history, x1.40: got %s", words(e, j))
	}
	printed(t, "no history low", 100*j.Test.Percent().Low, 6.1)
	printed(t, "no history high", 100*j.Test.Percent().High, 84.7)
	for _, c := range []struct {
		by   float64
		want stats.Verdict
	}{{1.31, stats.Inconclusive}, {1.33, stats.Worse}} {
		if e, j := compare(none, []float64{0}, []float64{math.Log(c.by)}); j.Verdict != c.want {
			t.Errorf("no history, x%g: got %s, want %s", c.by, words(e, j), c.want)
		}
	}
}

func series(seed uint64, sd float64, n int, effect func(i int) float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = sd*nz(seed, uint64(i)) + effect(i)
	}
	return x
}

func TestExamplesOfHistory(t *testing.T) {
	flat := series(11, 0.03, 60, func(int) float64 { return 0 })
	for n := 20; n <= 60; n++ {
		if p := stats.ChangePoints(flat[:n]); len(p) > 0 {
			t.Errorf("H1, %d nights: got %v, want none", n, p)
		}
	}
	step := series(12, 0.03, 60, func(i int) float64 {
		if i < 40 {
			return 0
		}
		return math.Log(1.15)
	})
	first := 0
	for n := 20; n <= 60 && first == 0; n++ {
		if len(stats.ChangePoints(step[:n])) > 0 {
			first = n
		}
	}
	if p := stats.ChangePoints(step); len(p) != 1 || p[0].At != 40 || first != 43 {
		t.Errorf("H2: got %v, first seen with %d nights, want [40] and 43", p, first)
	}
	bump := series(13, 0.03, 60, func(i int) float64 {
		if i < 30 || i >= 40 {
			return 0
		}
		return math.Log(1.20)
	})
	if p := stats.ChangePoints(bump); len(p) != 2 || p[0].At != 30 || p[1].At != 40 {
		t.Errorf("a change that was reverted: got %v, want both ends", p)
	}
	if stats.TwoNights(step[:41]) || !stats.TwoNights(step[:42]) {
		t.Errorf("two nights: got %v after one night, %v after two", stats.TwoNights(step[:41]), stats.TwoNights(step[:42]))
	}
}
