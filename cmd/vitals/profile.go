package main

import (
	"errors"

	"vitals/profiles"
	"vitals/scenarios"
)

// opened is the profile of --profile; nil without one.
func (o runOptions) opened() (*profiles.Profile, error) {
	if o.profile == "" {
		return nil, nil
	}
	p, err := profiles.Open(o.profile)
	if err == nil && o.url == "" && !o.dry {
		err = errors.New("--profile needs --url: a stack that is started here is the clinic itself")
	}
	return p, err
}

// translated is a scenario as the API of a profile is sent it, and what was left
// out. Without a profile it is the scenario itself.
func translated(p *profiles.Profile, sc *scenarios.Scenario) (*scenarios.Scenario, []string, error) {
	if p == nil {
		return sc, nil, nil
	}
	sc, notes, err := p.Scenario(sc)
	if err == nil {
		notes = append([]string{"sent by profile " + p.Name + ", another API's paths and fields; the clinic's are in the scenario"}, notes...)
	}
	return sc, notes, err
}
