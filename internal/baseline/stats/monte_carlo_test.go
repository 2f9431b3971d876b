package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	mm "github.com/aclements/go-moremath/stats"

	"vitals/internal/baseline/stats"
)

// world draws the log p95 of runs: noise of the run's own, noise that the two
// runs of a pair share, a drift from slot to slot, and an effect of the session.
type world struct {
	*rand.Rand
	own, shared, drift, session float64
}

// pair is ln(new/old) of one pair in ABBA order: its two slots are next to each
// other, and every other pair begins with the new build.
func (w world) pair(x float64, n int) float64 {
	sign := 1.0
	if n%2 == 1 {
		sign = -1
	}
	return math.Log1p(x) + w.own*(w.NormFloat64()-w.NormFloat64()) + w.shared*(w.NormFloat64()-w.NormFloat64()) + sign*w.drift
}

// run is the log p95 of one run that shares nothing.
func (w world) run(slot int) float64 {
	return w.own*w.NormFloat64() + w.shared*w.NormFloat64() + w.drift*float64(slot)
}

// gateFunc is a way to compare two builds of which the new is slower by x.
type gateFunc func(w world, x float64) stats.Verdict

// pairedGate is the gate of the program: paired runs, history, three looks.
func pairedGate(w world, x float64) stats.Verdict {
	return looks(w, x, func(e stats.Estimate) stats.Judgement { return stats.Judge(e, gate, e.P() <= gate.Alpha) })
}

func looks(w world, x float64, judge func(stats.Estimate) stats.Judgement) stats.Verdict {
	var past, d []float64
	for n := range 11 {
		past = append(past, w.pair(0, n))
	}
	prior := stats.NewPrior(past)
	var j stats.Judgement
	for _, k := range stats.DefaultLooks() {
		for len(d) < k {
			d = append(d, w.pair(x, len(d)))
		}
		if j = judge(stats.Paired(d, prior)); j.Verdict != stats.Inconclusive {
			break
		}
	}
	return j.Verdict
}

// The mutants: each is a way in which people do compare, and must be seen to
// break the limits that the real gate keeps.

// everyLook takes the level of a single look at each of three.
func everyLook(w world, x float64) stats.Verdict {
	rule := gate
	rule.Alpha = 0.05
	return looks(w, x, func(e stats.Estimate) stats.Judgement { return stats.Judge(e, rule, e.P() <= rule.Alpha) })
}

// rawSamples takes the requests of one run of each build as its sample.
func rawSamples(w world, x float64) stats.Verdict {
	requests := func(level float64) []float64 {
		out := make([]float64, 300)
		for i := range out {
			out[i] = level + 0.4*w.NormFloat64()
		}
		return out
	}
	old, new := requests(w.run(0)), requests(w.run(1)+math.Log1p(x))
	u, err := mm.MannWhitneyUTest(old, new, mm.LocationDiffers)
	if err == nil && u.P <= 0.05 && stats.Mean(new) > stats.Mean(old) {
		return stats.Worse
	}
	return stats.NoChange
}

// slicesAsRuns takes 30 slices of one run of each build as its sample.
func slicesAsRuns(w world, x float64) stats.Verdict {
	a, b := w.run(0), w.run(1)+math.Log1p(x)
	d := make([]float64, 30)
	for i := range d {
		d[i] = b - a + 0.1*(w.NormFloat64()-w.NormFloat64())
	}
	return plain(stats.Paired(d, nil))
}

// blocked runs all of the old build, then all of the new.
func blocked(w world, x float64) stats.Verdict {
	var old, new []float64
	for slot := range 8 {
		old = append(old, w.run(slot))
		new = append(new, w.run(slot+8)+math.Log1p(x))
	}
	return plain(welch(old, new))
}

// acrossJobs compares the runs of two sessions by the spread inside them.
func acrossJobs(w world, x float64) stats.Verdict {
	so, sn := w.session*w.NormFloat64(), w.session*w.NormFloat64()
	var old, new []float64
	for slot := range 10 {
		old = append(old, so+w.run(slot))
		new = append(new, sn+w.run(slot)+math.Log1p(x))
	}
	return plain(welch(old, new))
}

func welch(old, new []float64) stats.Estimate {
	a, b := stats.Variance(old)/float64(len(old)), stats.Variance(new)/float64(len(new))
	return stats.Estimate{K: len(old), Effect: stats.Mean(new) - stats.Mean(old), SE: math.Sqrt(a + b), Nu: float64(len(old) + len(new) - 2)}
}

// plain is significance alone, as the mutants take it.
func plain(e stats.Estimate) stats.Verdict {
	if e.P() <= 0.05 && e.Effect > 0 {
		return stats.Worse
	}
	return stats.NoChange
}

// trials of each cell: 2000 by make monte-carlo, fewer in every test run.
func trials(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("MONTE_CARLO"))
	if err != nil {
		return 400
	}
	t.Logf("%d trials a cell", n)
	return n
}

// played is what a gate said of builds whose truth is known, and which of its limits
// it did not keep.
type played struct{ said, broken []string }

func play(g gateFunc, drift, session float64, n int) (p played) {
	for _, c := range []struct {
		own, x       float64
		worst, least float64 // bounds on worse
		pass         [2]float64
	}{
		{own: 0.05, x: 0, worst: 0.015, pass: [2]float64{0.90, 1}},
		{own: 0.05, x: 0.20, worst: 1, least: 0.98, pass: [2]float64{0, 1}},
		{own: 0.05, x: 0.10, worst: 1, pass: [2]float64{0, 0.06}},
		{own: 0.10, x: 0, worst: 0.03, pass: [2]float64{0, 1}},
	} {
		w := world{rand.New(rand.NewPCG(uint64(1000*c.own), uint64(1000*c.x))), c.own, 0.0474, drift, session}
		var worse, pass float64
		for range n {
			v := g(w, c.x)
			if v == stats.Worse {
				worse += 1 / float64(n)
			}
			if v.Passes() {
				pass += 1 / float64(n)
			}
		}
		// Fewer trials than the limits were set for get the room of their own noise.
		room := func(limit float64) float64 {
			if n >= 2000 {
				return 0
			}
			return 2.6 * math.Sqrt(limit*(1-limit)/float64(n))
		}
		where := fmt.Sprintf("own %g, x %+.0f %%", c.own, 100*c.x)
		p.said = append(p.said, fmt.Sprintf("%s: worse in %.2f %%, passes in %.2f %%", where, 100*worse, 100*pass))
		if worse > c.worst+room(c.worst) || worse < c.least-room(c.least) {
			p.broken = append(p.broken, fmt.Sprintf("%s: worse in %.1f %%", where, 100*worse))
		}
		if pass < c.pass[0]-room(c.pass[0]) || pass > c.pass[1]+room(c.pass[1]) {
			p.broken = append(p.broken, fmt.Sprintf("%s: passes in %.1f %%", where, 100*pass))
		}
	}
	return p
}

func TestMonteCarlo(t *testing.T) {
	n := trials(t)
	for _, c := range []struct {
		name           string
		drift, session float64
	}{
		{"the gate", 0, 0},
		// ABBA takes out a drift of 1 % per slot; session effects are the same on both sides.
		{"the gate, with drift and session effects", 0.01, 0.05},
	} {
		p := play(pairedGate, c.drift, c.session, n)
		t.Logf("%s:\n  %s", c.name, strings.Join(p.said, "\n  "))
		for _, b := range p.broken {
			t.Errorf("%s: %s", c.name, b)
		}
	}
	for _, m := range []struct {
		name           string
		gate           gateFunc
		drift, session float64
		least          int // trials
	}{
		{"raw samples", rawSamples, 0, 0, 0},
		{"slices as replicates", slicesAsRuns, 0, 0, 0},
		{"blocked order", blocked, 0.01, 0, 0},
		{"Welch across jobs", acrossJobs, 0, 0.05, 0},
		{"0.05 at every look", everyLook, 0, 0, 2000}, // it errs by a few points only: it takes all trials to be seen
	} {
		p := play(m.gate, m.drift, m.session, max(n, m.least))
		t.Logf("%s:\n  %s", m.name, strings.Join(p.said, "\n  "))
		if len(p.broken) == 0 {
			t.Errorf("%s: keeps every limit, so the limits do not see it", m.name)
		}
	}
}

func TestRates(t *testing.T) {
	g := stats.Gate{Looks: stats.DefaultLooks(), Tolerance: math.Log(1.10)}
	quiet, noisy := g.Rates(0.069, 0.20), g.Rates(0.30, 0.20)
	if quiet.FalseAlarm > 0.015 || quiet.Finds < 0.98 {
		t.Errorf("pair spread 6.9 %%: got %+v", quiet)
	}
	if noisy.Finds > 0.8 || noisy.FalseAlarm > 0.05 {
		t.Errorf("pair spread 30 %%: got %+v, want fewer found, and false alarms bounded", noisy)
	}
	if again := g.Rates(0.069, 0.20); again != quiet {
		t.Errorf("got %+v, then %+v", quiet, again)
	}
}
