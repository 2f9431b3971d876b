package baseline

import (
	"fmt"
	"math"
	"strings"

	"vitals/internal/baseline/stats"
)

// judge gives every row its verdict: the gating ones together, so that many
// metrics do not raise more false alarms than one, the others each alone. Under
// assumed noise each is alone too: the bound of +32 % is stated, and holds.
func (j *judging) judge() []Row {
	var gating []*figure
	var p []float64
	for _, f := range j.all {
		if f.estimate != nil && f.together() {
			gating, p = append(gating, f), append(p, f.estimate.P())
		}
	}
	if len(gating) > 0 {
		rejected, q := stats.BH(p, gating[0].rule.Alpha)
		for i, f := range gating {
			f.Q = q[i]
			f.decide(rejected[i], j)
		}
	}
	out := make([]Row, 0, len(j.all))
	for _, f := range j.all {
		if f.estimate != nil && !f.together() {
			f.decide(f.estimate.P() <= f.rule.Alpha, j)
		}
		out = append(out, f.Row)
	}
	return out
}

func (f *figure) together() bool { return f.Gating && f.Method != ByAssuming }

// decide is the verdict of one figure.
func (f *figure) decide(rejected bool, j *judging) {
	e := f.estimate
	v := stats.Judge(e.Estimate, f.rule, rejected)
	if e.rates != nil {
		v = e.rates.Judge(f.rule, rejected)
	}
	f.Change, f.K, f.P, f.Alpha, f.Prior = Change(v.Verdict), e.K, v.P, f.rule.Alpha, e.Prior
	f.Delta = f.natural(e.Effect)
	f.Tolerance = f.rule.Tolerance
	if f.ln {
		f.Tolerance = math.Expm1(f.rule.Tolerance)
	}
	notes := e.notes
	if v.TooFewK {
		f.Note = strings.Join(append(notes, fmt.Sprintf("%d valid pairs, and 3 are the least", e.K)), "; ")
		return
	}
	f.Interval = f.naturalInterval(v.Test)
	f.Spread = math.Sqrt(e.Variance)
	if f.Method == ByPairs && f.ln {
		nu0 := e.Nu - float64(e.K-1)
		f.MDE = math.Expm1(stats.MDE(e.Variance, e.K, nu0, f.rule.Alpha))
		if f.Gating && j.opt.Rates {
			g := stats.Gate{Looks: j.looks, Tolerance: f.rule.Tolerance, Smallest: f.rule.Smallest, Prior: e.Prior}
			r := g.Rates(f.Spread, ratesChange)
			f.Rates = &r
		}
	}
	switch {
	case j.unlike:
		f.Change = Inconclusive
		notes = append(notes, "unlike machines: never judged")
	case v.Floor:
		notes = append(notes, "below the absolute floor")
	case v.Slower:
		notes = append(notes, "worse, within tolerance")
	case v.Beyond:
		notes = append(notes, "wholly beyond the tolerance")
	}
	notes = append(notes, f.margins(v)...)
	if e.rates != nil && e.rates.Bound > 0 {
		notes = append(notes, f.unfailed(e.rates.Bound))
	}
	if e.rates != nil && e.rates.Dispersion > 1.5 {
		notes = append(notes, fmt.Sprintf("failures come in bursts (dispersion %.0f)", e.rates.Dispersion))
	}
	if f.Change == Inconclusive && !j.unlike {
		notes = append(notes, f.undecided(j)...)
	}
	f.Note = strings.Join(notes, "; ")
}

// ratesChange is the change whose discovery a gate states its chance of.
const ratesChange = 0.20

// undecided says what would decide.
func (f *figure) undecided(j *judging) (notes []string) {
	// What is undecided needs one more at least: a number that was enough for this
	// figure alone is not, when several are judged together.
	if f.NeedN = f.estimate.need(f.rule); f.NeedN > 0 {
		f.NeedN = max(f.NeedN, f.K+1)
	}
	beyond := f.estimate.Effect >= f.rule.Tolerance
	f.Confirm = f.Method != ByPairs && beyond
	switch {
	case f.Method == ByPairs && beyond && f.estimate.Effect < f.rule.Smallest:
		notes = append(notes, fmt.Sprintf("beyond the tolerance, but on this machine %d pairs may call nothing below %+.0f %% worse (the qualification): more pairs (--looks) or a quieter machine would", j.looks.Max(), 100*math.Expm1(f.rule.Smallest)))
	case f.Confirm:
		notes = append(notes, "beyond the tolerance, not beyond the noise: a duet decides")
	case f.Method == ByPairs && f.NeedN == 0:
		notes = append(notes, "no number of pairs would decide: the effect is the tolerance itself")
	case f.Method == ByPairs && f.NeedN > j.looks.Max():
		notes = append(notes, fmt.Sprintf("needs %d pairs (cap %d): a quieter machine, a larger tolerance, or a person", f.NeedN, j.looks.Max()))
	case f.Method == ByPairs:
		notes = append(notes, fmt.Sprintf("needs %d pairs", f.NeedN))
	case f.NeedN == 0:
		notes = append(notes, "no number of new sessions would decide: record more of the old build, or run a duet")
	default:
		notes = append(notes, fmt.Sprintf("needs %d new sessions, or a duet", f.NeedN))
	}
	if f.MDE > 0 {
		notes = append(notes, fmt.Sprintf("the smallest change that could be seen is %.0f %%", 100*f.MDE))
	}
	return notes
}

// natural turns an effect, positive when worse, into the figure's own change.
func (f *figure) natural(effect float64) float64 {
	effect *= f.sign
	if f.ln {
		return math.Expm1(effect)
	}
	return effect
}

// naturalInterval is nil when nothing bounds the change: one run without a failure
// on either side says nothing about the difference.
func (f *figure) naturalInterval(i stats.Interval) *stats.Interval {
	if math.IsInf(i.Low, 0) || math.IsInf(i.High, 0) {
		return nil
	}
	if f.sign < 0 {
		i = i.Mirror()
	}
	if f.ln {
		i = i.Percent()
	}
	return &i
}
