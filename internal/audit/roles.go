package audit

import (
	"slices"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// policy is the profile's name of a role's limit.
func (g *Target) policy(role string) string { return g.Profile.Role(role) }

// limit is the limit of a role in force at the target.
func (g *Target) limit(role string) (profile.Limit, bool) { return g.named(g.policy(role)) }

// named is the limit that the profile has under a name, in force at the target.
func (g *Target) named(policy string) (profile.Limit, bool) {
	if l, ok := g.Limits[policy]; ok {
		return l, true
	}
	l, ok := g.Profile.Limits[policy]
	return l, ok
}

// byRole are violations whose policies are named by what they limit, as requirements
// are about sign-ins whatever a profile calls their limit.
func (g *Target) byRole(vs []limitcheck.Violation) []limitcheck.Violation {
	vs = slices.Clone(vs)
	for i, v := range vs {
		for role := range guessing {
			if g.policy(role) == v.Policy {
				vs[i].Policy = role
			}
		}
	}
	return vs
}
