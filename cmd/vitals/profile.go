package main

import (
	"errors"

	"vitals/internal/profile"
	"vitals/scenarios"
)

// openProfile reads the profile of --profile; nil without one.
func (o runOptions) openProfile() (*profile.Profile, error) {
	switch {
	case o.profile == "":
		return nil, nil
	case o.url == "" && !o.dry:
		return nil, errors.New("--profile needs --url: a stack that is started here is the clinic itself")
	}
	return profile.Open(o.profile)
}

// translated is a scenario as the API under test is sent it, with what is to be
// told of that. Without a profile it is as it was written.
func (p plan) translated(sc *scenarios.Scenario) (*scenarios.Scenario, []string, error) {
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
func (p plan) api() *profile.Profile {
	if p.profile != nil {
		return p.profile
	}
	return profileOf(p.scenarios)
}
