package harness

import (
	"errors"

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
	sc, notes, err := p.profile.Scenario(sc)
	if err != nil {
		return nil, nil, err
	}
	return sc, append([]string{"sent by profile " + p.profile.Name + ", another API's paths and fields"}, notes...), nil
}

// api is the profile of the API under test: the one that was named, else the one
// whose sign-in the scenarios use.
func (p *Plan) api() *profile.Profile {
	if p.profile != nil {
		return p.profile
	}
	return profileOf(p.scenarios)
}

// names are what the metrics page calls our figures; nil where the profile says
// nothing.
func (p *Plan) names() observe.Names {
	if p.profile == nil {
		return nil
	}
	return observe.Names(p.profile.Metrics)
}
