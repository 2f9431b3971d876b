package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// renamed gives the limits on sign-ins and on resets names of the profile's own.
func renamed(g *audit.Target) {
	p := g.Profile
	for operation, to := range map[string]string{"login": "auth", "password_reset": "forgot", "me": "reads"} {
		op := p.Operations[operation]
		was := op.Policy
		if was == "" {
			was = "api"
		}
		op.Policy = to
		p.Operations[operation] = op
		p.Limits[to] = p.Limits[was]
		delete(p.Limits, was)
	}
}

// A limit is the one that the operation refers to, whatever the profile calls it: it is
// tested, its invariants are watched, and what is switched off is found.
func TestALimitUnderItsOwnNameIsTested(t *testing.T) {
	t.Parallel()
	only := []string{"LK1", "LK2", "LK3", "LK15", "LK22", "LK23"}
	for _, broken := range []bool{false, true} {
		s := audittest.New("")
		if broken {
			s.Limit("login", 100000)
		}
		g := s.Serve(t)
		renamed(g)
		rep := audit.Run(t.Context(), probes(t, audit.Intrusive, only...), g, audit.Options{Patience: time.Minute, Standard: []string{"asvs-5.0"}})
		if !broken && (len(red(rep)) > 0 || passedOf(rep) != len(only)) {
			t.Errorf("a sound API: got %+v, want %d passed:\n%s", rep.Counts, len(only), show(rep))
		}
		if !broken {
			continue
		}
		got := strings.Join(red(rep), " ")
		for _, want := range []string{"LK2", "J1"} {
			if !strings.Contains(got+" ", want+" ") {
				t.Errorf("limits switched off: red at %s, want %s as well:\n%s", got, want, show(rep))
			}
		}
		if f := rep.Findings[1]; f.Basis == nil || f.Basis.Promise != "limits.auth" {
			t.Errorf("LK2 rests on %+v, want limits.auth", f.Basis)
		}
		for _, r := range rep.Standards[0].Requirements {
			if r.ID == "v5.0.0-6.3.1" && !slices.Contains(r.Evidence, "J1 FAIL") {
				t.Errorf("6.3.1: got %+v, want J1 FAIL in its evidence", r)
			}
		}
	}
}
