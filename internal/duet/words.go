package duet

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
)

// Lines tell a pair's result: one line for each figure that gates, so that one
// sees the intervals close in.
func (p Progress) Lines() string {
	var b strings.Builder
	head := fmt.Sprintf("pair %2d/%d", p.Pairs, p.Of)
	if p.Word != "" {
		fmt.Fprintf(&b, "%s  %s\n", head, p.Word)
	}
	shown := false
	if p.Comparison != nil {
		for _, r := range p.Comparison.Rows {
			if r.Gating && (r.Interval != nil || r.Metric == "p95") {
				fmt.Fprintf(&b, "%s  %s\n", head, brief(r))
				shown = true
			}
		}
		if p.Comparison.Verdict == baseline.OverallNotCompared {
			fmt.Fprintf(&b, "%s  %s\n", head, strings.Join(p.Comparison.Reasons, "; "))
			shown = true
		}
	}
	if !shown && p.Word == "" {
		fmt.Fprintf(&b, "%s  done\n", head)
	}
	return b.String()
}

// brief is a row's line without its notes, and with a bar that shows where the
// interval lies.
func brief(r baseline.Row) string {
	line := r.Line()
	if r.Note != "" && r.Interval != nil {
		line = strings.TrimSuffix(line, " ("+r.Note+")")
	}
	if r.Interval == nil || !r.Ratio || r.Tolerance <= 0 {
		return line
	}
	return fmt.Sprintf("%s  %s", bar(r), line)
}

// bar draws an interval on a scale of three tolerances to either side: | is no
// change, : the tolerance.
func bar(r baseline.Row) string {
	const half = 12
	cells := []byte(strings.Repeat(" ", 2*half+1))
	at := func(v float64) int {
		i := half + int(math.Round(v/r.Tolerance*half/3))
		return max(0, min(2*half, i))
	}
	for i := at(r.Interval.Low); i <= at(r.Interval.High); i++ {
		cells[i] = '-'
	}
	cells[at(0)], cells[at(r.Tolerance)], cells[at(-r.Tolerance)] = '|', ':', ':'
	cells[at(r.Delta)] = 'o'
	return "[" + string(cells) + "]"
}

// Words say what a qualification means for a gate.
func (q *Qualification) Words(looks stats.Looks) string {
	var b strings.Builder
	smallest := q.Smallest(looks)
	how := "qualified"
	if len(smallest) == 0 {
		how = "not qualified yet"
	}
	fmt.Fprintf(&b, "%s: environment class %s, duets of one build with itself: %d\n", how, q.Class, len(q.Duets))
	for _, name := range slices.Sorted(maps.Keys(smallest)) {
		p := stats.NewPrior(q.ratios(name)...)
		fmt.Fprintf(&b, "  %-32s pairs spread by %4.1f %%; the smallest change that a gate of %d pairs may fail on: %.1f %%\n",
			name, 100*math.Sqrt(p.Variance), looks.Max(), 100*smallest[name])
	}
	return b.String()
}
