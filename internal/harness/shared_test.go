package harness

import (
	"slices"
	"testing"
)

// A duet needs what describes the load and the deployment, not where the run was kept.
func TestFlagsThatADuetNeeds(t *testing.T) {
	got := shared([]string{"vitals", "run", "my.yaml", "--url", "http://10.0.0.4", "--accounts=a.csv", "--profile", "p.yaml", "--out", "o", "--forwarded", "--repeat", "3"})
	if want := []string{"--accounts", "a.csv", "--profile", "p.yaml", "--forwarded"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
