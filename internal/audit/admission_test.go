package audit_test

import (
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// With accounts that do not exist every right password is a wrong one: nothing that
// needs one is judged.
func TestAccountsThatDoNotExistJudgeNothing(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	for i := range g.Accounts {
		g.Accounts[i].Email = "gone-" + g.Accounts[i].Email
	}
	g.Profile.Promises.Standards = nil // so that AU1 and AU3 are promised by nobody
	only := []string{"AU1", "AU3", "AU10", "LK3", "LK6", "LK14"}
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, only...), g, audit.Options{Patience: time.Minute})
	for _, f := range rep.Findings {
		if f.Status != audit.Skip || !strings.Contains(f.Reason, "account 2 of the file cannot sign in: got 401") {
			t.Errorf("%s: got %v %q, want it skipped for the account", f.ID, f.Status, f.Reason)
		}
	}
	if len(rep.Violations) > 0 {
		t.Errorf("accused: %v", rep.Violations)
	}
}

// What was tried and could not be carried out is skipped, though nobody promised it;
// what the profile does not have is not asked.
func TestWhatWasTriedIsNoUnaskedProbe(t *testing.T) {
	t.Parallel()
	g := audittest.New("").Serve(t)
	g.Profile.Promises.Standards = nil
	p := g.Profile
	op := p.Operations["create"]
	op.Path = "/v2/nothing"
	p.Operations["create"] = op
	delete(p.Operations, "two_factor_enrol")
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "AU9", "AU10"), g, audit.Options{Patience: time.Minute})
	if f := rep.Findings[0]; f.ID != "AU9" || f.Status != audit.NotAsked {
		t.Errorf("%s: got %v %q, want it not asked", f.ID, f.Status, f.Reason)
	}
	if f := rep.Findings[1]; f.Status != audit.Skip || !strings.Contains(f.Reason, "making an object: got 404") {
		t.Errorf("%s: got %v %q, want it skipped with the reason", f.ID, f.Status, f.Reason)
	}
}
