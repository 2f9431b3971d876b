package baseline

import (
	"fmt"
	"strings"

	"vitals/internal/baseline/stats"
)

// short notes that a history was named and is too short to learn the noise from.
func (f *figure) short(asked bool, sessions int) {
	if asked && f.Endpoint == "" {
		f.history = fmt.Sprintf("the history holds %d sessions that have it, of this load and kind of machine, and %d are needed: its noise is assumed", sessions, stats.LeastSessions)
	}
}

// shortHistories are those notes, one for all figures of a scenario that share it.
func (j *judging) shortHistories() (notes []string) {
	figures := map[string][]string{} // by scenario and note
	var order []string
	for _, f := range j.all {
		if f.history == "" || !f.Gating {
			continue
		}
		key := f.Scenario + ": " + f.history
		if figures[key] == nil {
			order = append(order, key)
		}
		figures[key] = append(figures[key], f.Metric)
	}
	for _, key := range order {
		notes = append(notes, strings.Join(figures[key], ", ")+" "+key)
	}
	return notes
}
