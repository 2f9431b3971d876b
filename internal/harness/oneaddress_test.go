package harness

import (
	"testing"

	"vitals/internal/profile"
	"vitals/scenarios"
)

// From one address only those work whose lock is an account's: any other would lock the
// honest users out.
func TestFromOneAddress(t *testing.T) {
	t.Parallel()
	ins := []scenarios.Intruder{{Name: "guesser", Kind: scenarios.PasswordGuessing}, {Name: "sprayer", Kind: scenarios.PasswordSpraying}}
	for by, want := range map[string]int{"": 0, profile.ByAddress: 0, profile.ByBoth: 0, profile.ByPair: 0, profile.ByAccount: 1} {
		p := &profile.Profile{Limits: map[string]profile.Limit{"login": {Limit: 5, By: by}}}
		can, idle := fromOneAddress(ins, p)
		if len(can) != want || len(idle) != len(ins)-want {
			t.Errorf("by %q: got %v at work and %v idle, want %d at work", by, can, idle, want)
		}
	}
	if can, _ := fromOneAddress(ins, nil); len(can) > 0 {
		t.Errorf("without a profile: got %v at work, want none", can)
	}
}
