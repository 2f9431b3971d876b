package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"vitals/internal/measure"
)

// ProfileChange is how the CPU profiles of one scenario differ between two files. It
// shows where to look, and judges nothing: each is of a few seconds.
type ProfileChange struct {
	Scenario  string           `json:"scenario"`
	Functions []FunctionChange `json:"functions"` // the largest differences first
}

// FunctionChange is one function's own share of the processor time on both sides. A
// share that is not known exactly is at most the figure.
type FunctionChange struct {
	Name      string  `json:"name"`
	Old       float64 `json:"old"`
	New       float64 `json:"new"`
	OldAtMost bool    `json:"old_at_most,omitempty"`
	NewAtMost bool    `json:"new_at_most,omitempty"`
}

// mostChanges bounds the functions of one scenario.
const mostChanges = 10

// profiles compares the scenarios that have a profile on both sides: of several runs
// the last one's.
func profiles(old, new *File) (out []ProfileChange) {
	for _, n := range new.Scenarios {
		i := slices.IndexFunc(old.Scenarios, func(o Scenario) bool { return o.Name == n.Name })
		if i < 0 {
			continue
		}
		if before, now := old.Scenarios[i].profile(), n.profile(); before != nil && now != nil {
			out = append(out, ProfileChange{Scenario: n.Name, Functions: changes(before, now)})
		}
	}
	return out
}

// profile is that of the last run that has one.
func (s *Scenario) profile() *measure.CPUProfile {
	for _, r := range slices.Backward(s.Runs) {
		if r.Profile != nil {
			return r.Profile
		}
	}
	return nil
}

func changes(before, now *measure.CPUProfile) []FunctionChange {
	var out []FunctionChange
	seen := map[string]bool{}
	for _, f := range slices.Concat(before.Functions, now.Functions) {
		if seen[f.Name] {
			continue
		}
		seen[f.Name] = true
		c := FunctionChange{Name: f.Name}
		var known bool
		c.Old, known = before.Share(f.Name)
		c.OldAtMost = !known
		c.New, known = now.Share(f.Name)
		c.NewAtMost = !known
		// One that is only known to be small is none that changed, as far as anybody knows.
		if c.least() > 0 {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b FunctionChange) int {
		return cmp.Or(cmp.Compare(b.least(), a.least()), strings.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), mostChanges)]
}

// least is how far apart the shares are at least.
func (c FunctionChange) least() float64 {
	switch {
	case c.OldAtMost:
		return c.New - c.Old
	case c.NewAtMost:
		return c.Old - c.New
	}
	return math.Abs(c.New - c.Old)
}

// profiledUnlike says that more of one file's runs were profiled than of the other's;
// "" where they were treated alike.
func profiledUnlike(old, new *File) string {
	profiled := func(f *File) (n, of int) {
		for _, s := range f.Scenarios {
			for _, r := range s.Runs {
				if of++; r.Profile != nil {
					n++
				}
			}
		}
		return n, of
	}
	o, oldRuns := profiled(old)
	n, newRuns := profiled(new)
	if o*newRuns == n*oldRuns {
		return ""
	}
	return fmt.Sprintf("profiled for some seconds, because a target was being lost: %d of %d old runs, %d of %d new; that alone costs CPU", o, oldRuns, n, newRuns)
}
