package baseline

import "vitals/internal/baseline/stats"

// asDuet is the options with what the duet itself knew of its machine, where they
// say nothing of it.
func (o Options) asDuet(g *Gate) Options {
	if g == nil || o.Smallest != nil || o.Prior != nil {
		return o
	}
	o.Smallest = g.Smallest
	o.Prior = func(scenario, metric string) *stats.Prior { return g.Prior[scenario+" "+metric] }
	return o
}

// AsDuet gives a comparison of both files of a duet the verdict that the duet gave: one
// that may not fail a build does not fail it by its files either, and one that ended
// without an answer has none.
func (c *Comparison) AsDuet(g *Gate) {
	switch {
	case c.Looks == nil || g == nil:
	case g.Ended != "":
		c.Verdict, c.Decides, c.Reasons = OverallInvalid, "", []string{g.Ended}
	case g.Unfit != "":
		c.CannotFail(g.Unfit)
	}
}

// CannotFail marks a comparison whose gate may not fail a build: the rows stay as they
// are, and a whole that is worse is left undecided.
func (c *Comparison) CannotFail(why string) {
	c.Notes = append(c.Notes, "WARNING: this gate cannot fail a build: "+why)
	if c.Verdict == OverallWorse {
		c.Verdict = OverallInconclusive
		c.Reasons = append(c.Reasons, "worse, but "+why)
	}
}
