package report

import (
	"fmt"
	"slices"

	"vitals/internal/measure"
)

// names are the scenarios of the document, each once.
func (d *Document) names() (out []string) {
	for _, r := range d.Runs {
		if !slices.Contains(out, r.Result.Scenario) {
			out = append(out, r.Result.Scenario)
		}
	}
	return out
}

// runsOf is how many runs of a scenario there are.
func (d *Document) runsOf(scenario string) (n int) {
	for _, r := range d.Runs {
		if r.Result.Scenario == scenario {
			n++
		}
	}
	return n
}

// ran says of how many scenarios the runs are: one that was repeated is one.
func ran(d *Document) string {
	names := d.names()
	words := plural(len(names), "scenario")
	if len(names) == len(d.Runs) {
		return words
	}
	each := d.runsOf(names[0])
	switch {
	case slices.ContainsFunc(names, func(name string) bool { return d.runsOf(name) != each }):
		return words + ", " + plural(len(d.Runs), "run")
	case len(names) > 1:
		return words + ", " + plural(each, "replicate") + " each"
	}
	return words + ", " + plural(each, "replicate")
}

// title is a run's scenario, numbered where there are several runs of it.
func (d *Document) title(run int) string {
	name := d.Runs[run].Result.Scenario
	of := d.runsOf(name)
	if of == 1 {
		return name
	}
	return fmt.Sprintf("%s (%d of %d)", name, d.replicate(run), of)
}

// replicate is which run of its scenario a run is, from 1.
func (d *Document) replicate(run int) int {
	before := &Document{Runs: d.Runs[:run]}
	return before.runsOf(d.Runs[run].Result.Scenario) + 1
}

// pooled is the response time over all runs of the document.
func (d *Document) pooled() *measure.Histogram {
	h := measure.NewHistogram()
	for _, r := range d.Runs {
		h.Merge(r.Result.Total(true, true).Response)
	}
	return h
}
