package stats

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Gate is the rule of one metric over its looks.
type Gate struct {
	Looks     Looks
	Tolerance float64 // log scale
	Smallest  float64 // see Rule; 0 = Tolerance
	Prior     *Prior
}

// Rule is what each look is judged by.
func (g Gate) Rule() Rule {
	return Rule{Alpha: g.Looks.Alpha(), Tolerance: g.Tolerance, Smallest: g.Smallest}
}

// Decide draws pairs until a look decides or the last is over, and says after
// how many.
func (g Gate) Decide(pair func() float64) (j Judgement, k int) {
	var d []float64
	rule := g.Rule()
	for _, look := range g.Looks {
		for len(d) < look {
			d = append(d, pair())
		}
		e := Paired(d, g.Prior)
		if j = Judge(e, rule, e.P() <= rule.Alpha); j.Verdict != Inconclusive {
			break
		}
	}
	return j, len(d)
}

// Rates are a gate's own error rates at a given spread of pairs.
type Rates struct {
	FalseAlarm float64 `json:"false_alarm"` // upper 95 % bound on "worse" between equal builds
	Finds      float64 `json:"finds"`       // share of changes of the size Change that end "worse"
	Change     float64 `json:"change"`      // relative: 0.20 is +20 %
}

// ratesTrials is enough for a bound of 0.1 % on a gate that never erred.
const ratesTrials = 3000

// Rates plays the gate against normal noise of the given standard deviation,
// with one seed, so that the same spread gives the same figures.
func (g Gate) Rates(sd, change float64) Rates {
	r := rand.New(rand.NewPCG(1, uint64(g.Looks.Max())))
	worse := func(effect float64) (n float64) {
		for range ratesTrials {
			if j, _ := g.Decide(func() float64 { return effect + sd*r.NormFloat64() }); j.Verdict == Worse {
				n++
			}
		}
		return n
	}
	alarms := worse(0)
	return Rates{
		// Clopper and Pearson's upper bound.
		FalseAlarm: distuv.Beta{Alpha: alarms + 1, Beta: ratesTrials - alarms}.Quantile(0.95),
		Finds:      worse(math.Log1p(change)) / ratesTrials,
		Change:     change,
	}
}
