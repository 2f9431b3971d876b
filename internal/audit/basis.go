package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vitals/internal/profile"
)

// Basis is what a probe rests on: a promise of the profile, or a standard. What is
// broken of a promise is a FAIL; of a standard that nobody promised, ADVICE. A
// standard is promised by the profile (promises.standards), or by whoever asks for
// it with --standard.
type Basis struct {
	Promise  string        `json:"promise,omitempty"`  // "limits.login", "promises.health"; "" = the standard alone
	Standard string        `json:"standard,omitempty"` // asvs-5.0, production-guide, or both with "and"; "" = the promise alone
	Promised bool          `json:"promised"`
	Place    profile.Place `json:"place"` // where the promise stands
}

// String words the basis: "promised at docs/security.md:12", "asvs-5.0, not promised".
func (b Basis) String() string {
	switch {
	case b.Promise != "" && b.Standard != "":
		return fmt.Sprintf("%s, promised at %v, and %s, promised", b.Promise, b.Place, b.Standard)
	case b.Promise != "":
		return fmt.Sprintf("%s, promised at %v", b.Promise, b.Place)
	case b.Promised:
		return b.Standard + ", promised"
	}
	return b.Standard + ", not promised"
}

// basis is what the probe rests on with this target; false with the reason when it is
// not to be asked at all.
func (p Probe) basis(g *Target, chosen []string) (b Basis, asked bool, why string) {
	pr, requirements := proofs[p.ID], bears(p.ID)
	if why := p.unfit(g); why != "" {
		return Basis{}, false, why
	}
	for _, what := range pr.promises {
		if g.promises(what) {
			if role, ok := strings.CutPrefix(what, "limits."); ok {
				what = "limits." + g.policy(role)
			}
			return Basis{Promise: what, Promised: true, Place: g.Profile.At(strings.TrimSuffix(strings.TrimSuffix(what, ".ready"), ".live"))}, true, ""
		}
	}
	var standards []string
	if p.Guide != "–" && p.Guide != "" {
		standards = append(standards, profile.ProductionGuide)
	}
	if len(requirements) > 0 {
		standards = append(standards, profile.ASVS)
	}
	for _, name := range standards {
		if _, ok := g.Profile.Promised(name); ok {
			return Basis{Standard: name, Promised: true, Place: g.Profile.At("promises.standards." + name)}, true, ""
		}
		if slices.Contains(chosen, name) {
			return Basis{Standard: name, Promised: true, Place: g.Profile.At("")}, true, ""
		}
	}
	if len(requirements) > 0 {
		return Basis{Standard: profile.ASVS, Place: g.Profile.At("")}, true, ""
	}
	why = "the profile does not promise it"
	if len(pr.promises) > 0 {
		why = "the profile has no " + strings.Join(pr.promises, " or ")
	}
	if len(standards) > 0 {
		why += fmt.Sprintf(", and --standard %s was not asked for", standards[0])
	}
	return Basis{}, false, why
}

// broken is what the failures of a probe rest on: of the promise and the standards that
// it looks at, those that did not hold. The caller holds the lock.
func (t *T) broken() Basis {
	b, own, others := t.basis, false, []string{}
	for _, one := range t.failures {
		switch {
		case one.by == "" || one.by == b.Standard:
			own = true
		case !slices.Contains(others, one.by):
			others = append(others, one.by)
		}
	}
	if len(others) == 0 {
		return b
	}
	if !own {
		b = Basis{Promised: true, Place: t.target.Profile.At("promises.standards." + others[0])}
	}
	if b.Standard != "" {
		others = slices.Insert(others, 0, b.Standard)
	}
	b.Standard = strings.Join(others, " and ")
	return b
}

// Untried are the probes of what the target's profile promises, or of standards that
// were asked for, that only a higher class would send: of those that only names, of all
// where it names none.
func Untried(g *Target, upTo Class, only, standards []string) (ids []string, err error) {
	probes, err := Select(Intrusive, only)
	for _, p := range probes {
		if b, asked, _ := p.basis(g, standards); p.Class > upTo && asked && b.Promised {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

// unfit is why the target's limit on signing in is none that the probe is about; "" =
// it is, or there is none.
func (p Probe) unfit(g *Target) string {
	if l, ok := g.limit("login"); ok && proofs[p.ID].fits != nil {
		return proofs[p.ID].fits(l)
	}
	return ""
}

// promises tells whether the target's profile promises something.
func (g *Target) promises(what string) bool {
	if role, ok := strings.CutPrefix(what, "limits."); ok {
		_, has := g.limit(role)
		return has
	}
	p := g.Profile.Promises
	if check, ok := strings.CutPrefix(what, "promises.health."); ok {
		return p.Health != nil && p.Health.Answers[check] != nil
	}
	switch what {
	case "promises.limit_headers":
		return p.LimitHeaders != nil
	case "promises.health":
		return p.Health != nil
	case "promises.request_ids":
		return p.RequestIDs != nil
	case "promises.cors":
		return p.CORS != nil
	case "promises.security_headers":
		return p.SecurityHeaders != nil
	case "promises.errors":
		return p.Errors != nil
	case "promises.admins":
		return p.Admins != nil
	case "promises.objects":
		return p.Objects != nil && p.Objects.Private
	}
	return false
}

// rests says in one line what a probe may rest on.
func (p proof) rests(requirements []string) string {
	on := strings.Join(p.promises, " or ")
	var ids []string
	for _, id := range requirements {
		ids = append(ids, release+id)
	}
	if len(ids) > 0 {
		if on != "" {
			on += "; "
		}
		on += "OWASP ASVS " + strings.Join(ids, ", ")
	}
	return cmp.Or(on, "the production guide alone")
}

// weighs says in one line how bad it is when the probe fails.
func (p proof) weighs() string {
	words := string(p.severity)
	for _, n := range p.cwe {
		words += fmt.Sprintf(", CWE-%d", n)
	}
	return words
}

// promise is what the target's profile promises; where the production guide is asked
// for, what the guide says stands in for what the profile leaves open.
func (t *T) promise() profile.Promises {
	p := t.target.Profile.Promises
	if !t.guide() {
		return p
	}
	guide := profile.Clinic().Promises // the API that the guide describes
	p.LimitHeaders = cmp.Or(p.LimitHeaders, guide.LimitHeaders)
	p.Health = cmp.Or(p.Health, guide.Health)
	p.RequestIDs = cmp.Or(p.RequestIDs, guide.RequestIDs)
	p.CORS = cmp.Or(p.CORS, guide.CORS)
	p.SecurityHeaders = cmp.Or(p.SecurityHeaders, guide.SecurityHeaders)
	return p
}

// guide tells whether the production guide is promised, or was asked for.
func (t *T) guide() bool { return t.holds(profile.ProductionGuide) }

// Weight is how bad it is when a probe fails, the weaknesses (CWE) that it then shows,
// and the requirements of OWASP ASVS 5.0.0 that it bears on, as 6.3.1.
func Weight(id string) (s Severity, cwe []int, asvs []string) {
	p := proofs[id]
	return p.severity, p.cwe, bears(id)
}
