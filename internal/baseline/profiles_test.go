package baseline_test

import (
	"slices"
	"strings"
	"testing"

	"vitals/internal/baseline"
	"vitals/internal/measure"
)

// Two runs that were profiled are compared function by function, the largest
// difference first; what is only known to be small is at most so much, and one that may
// not have changed at all is left out.
func TestProfilesAreCompared(t *testing.T) {
	old, now := file(1, 1), file(1, 1)
	now.Session.ID = "other"
	old.Scenarios[0].Runs[0].Profile = &measure.CPUProfile{Rest: 0.02, Functions: []measure.FunctionTime{{Name: "hash", Own: 0.5}, {Name: "json", Own: 0.2}, {Name: "gone", Own: 0.01}}}
	now.Scenarios[0].Runs[0].Profile = &measure.CPUProfile{Rest: 0.03, Functions: []measure.FunctionTime{{Name: "hash", Own: 0.3}, {Name: "sort", Own: 0.4}, {Name: "json", Own: 0.2}}}
	c, err := baseline.Compare(old, now, baseline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Profiles) != 1 || c.Profiles[0].Scenario != old.Scenarios[0].Name {
		t.Fatalf("got %+v, want the one scenario with both", c.Profiles)
	}
	want := []baseline.FunctionChange{{Name: "sort", Old: 0.02, New: 0.4, OldAtMost: true}, {Name: "hash", Old: 0.5, New: 0.3}}
	if got := c.Profiles[0].Functions; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if strings.Contains(strings.Join(c.Notes, "\n"), "profiled") {
		t.Errorf("both were profiled alike: %q", c.Notes)
	}
	old.Scenarios[0].Runs[0].Profile = nil
	if c, err = baseline.Compare(old, now, baseline.Options{}); err != nil || len(c.Profiles) != 0 {
		t.Fatalf("got %+v, %v from one profile", c, err)
	}
	if !strings.Contains(strings.Join(c.Notes, "\n"), "0 of 3 old runs, 1 of 3 new; that alone costs CPU") {
		t.Errorf("nothing says that only the new run was profiled: %q", c.Notes)
	}
}
