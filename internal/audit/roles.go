package audit

import (
	"slices"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// roles are the names by which probes ask for a limit, each with the operation whose
// limit it is. What a profile calls that limit is its own affair.
var roles = map[string]string{
	"login": "login", "2fa_verify": "two_factor_verify", "password_reset": "password_reset", "password_change": "password_change", profile.API: "me",
}

// policy is the profile's name of a role's limit, as the role's operation refers to it;
// "" when the operation counts under none. An operation that names no policy leaves the
// role's own name, and so does a sign-in under the limit of all the rest, which is no
// limit on sign-ins.
func (g *Target) policy(role string) string {
	op, ok := g.Profile.Operations[roles[role]]
	switch {
	case !ok || op.Policy == "" || op.Policy == profile.API:
		return role
	case op.Policy == "none":
		return ""
	}
	return op.Policy
}

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
