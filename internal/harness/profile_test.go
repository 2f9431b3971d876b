package harness

import (
	"slices"
	"testing"

	"vitals/internal/observe"
	"vitals/internal/profile"
)

// What a profile may name is what is read of a page.
func TestProfilesNameWhatIsRead(t *testing.T) {
	if a, b := profile.MetricNames(), observe.Figures(); !slices.Equal(a, b) {
		t.Errorf("profiles may name %q, pages are read for %q", a, b)
	}
}
