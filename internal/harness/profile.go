package harness

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"vitals/internal/observe"
	"vitals/internal/profile"
	"vitals/scenarios"
)

// openProfile reads the profile of --profile; nil without one.
func (o Options) openProfile() (*profile.Profile, error) {
	switch {
	case o.Profile == "":
		return nil, nil
	case o.URL == "" && !o.ReadOnly:
		return nil, errors.New("--profile needs --url: a stack that is started here is the clinic itself")
	}
	return profile.Open(o.Profile)
}

// translated is a scenario as the API under test is sent it, with what is to be
// told of that. Without a profile it is as it was written.
func (p *Plan) translated(sc *scenarios.Scenario) (*scenarios.Scenario, []string, error) {
	if p.profile == nil {
		return sc, nil, nil
	}
	sent, notes, err := p.profile.Scenario(sc)
	if err != nil {
		return nil, nil, err
	}
	first := "sent by profile " + p.profile.Name + ", another API's paths and fields"
	if sent == sc {
		first = "sent as it is written; limits and answers to passwords are judged by profile " + p.profile.Name
	}
	return sent, append([]string{first}, notes...), nil
}

// api is the profile of the API under test: the one that was named, else that of the
// stack that is started here, and of the built-in scenarios, which are of that API. A
// scenario of somebody's own may be of any API: that it signs in at the same path is no
// promise.
func (p *Plan) api() *profile.Profile {
	own := func(sc *scenarios.Scenario) bool { return !slices.Contains(scenarios.All(), p.named[sc]) }
	if p.profile != nil || p.o.URL != "" && slices.ContainsFunc(p.scenarios, own) {
		return p.profile
	}
	return profileOf(p.scenarios)
}

// printProfile shows what an audit, and a scenario, will find in a profile.
func printProfile(pr *profile.Profile, line func(format string, args ...any)) {
	line("%s: %s", pr.Name, pr.About)
	for _, name := range slices.Sorted(maps.Keys(pr.Operations)) {
		op := pr.Operations[name]
		line("  operation %-22s %s %s", name, op.Method, op.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(pr.Limits)) {
		l := pr.Limits[name]
		words := fmt.Sprintf("%d", l.Limit)
		if l.Window > 0 {
			words += fmt.Sprintf(" in %v", l.Window)
		}
		if l.Lock > 0 {
			words += fmt.Sprintf(", then locked for %v", l.Lock)
		}
		if l.Delay.From > 0 {
			words += fmt.Sprintf(", then a wait from %v on that doubles", l.Delay.From)
		}
		if l.By != "" {
			words += ", by " + l.By
		}
		line("  limit     %-22s %s (%v)", name, words, pr.At("limits."+name))
	}
	for _, standard := range profile.Standards() {
		if _, ok := pr.Promised(standard); ok {
			line("  standard  %-22s promised (%v)", standard, pr.At("promises.standards."+standard))
		}
	}
	if _, ok := pr.Operations["login"]; !ok {
		line("  note      without the operation login nothing about signing in, limits and sessions can be asked")
	}
}

// names are what the metrics page calls our figures; nil where the profile says
// nothing.
func (p *Plan) names() observe.Names {
	if p.profile == nil {
		return nil
	}
	return observe.Names(p.profile.Metrics)
}
