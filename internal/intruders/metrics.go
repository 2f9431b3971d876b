package intruders

import (
	"slices"

	"vitals/internal/profile"
	"vitals/scenarios"
)

// Measured are the facts of controls that these intruders can show: a target on
// any other could only ever be without data.
func Measured(ins []scenarios.Intruder, p *profile.Profile) (names []string) {
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, in := range ins {
		a := Attack{Kind: in.Kind}
		if p != nil {
			role := login
			if in.Kind == scenarios.CodeGuessing {
				role = "two_factor_verify"
			}
			limit := p.Limits[p.Role(role)]
			a.Grows = in.Kind == scenarios.PasswordSpraying && limit.Delay.From > 0
			a.Everywhere = a.guesses() && everywhere(limit)
		}
		if a.locks() && (p == nil || unlockable(p.Limits[p.Role(login)]) == "") { // else no lock can be met
			for _, name := range []string{"lockout.admitted", "lockout.leaked", "lockout.bystanders", "lockout.retry_after"} {
				add(name)
			}
		}
		for _, f := range findings {
			if _, _, about := f.of(&a); about {
				add(f.name)
			}
		}
	}
	return names
}
