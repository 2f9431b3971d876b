package main

import (
	"errors"

	"vitals/profiles"
	"vitals/scenarios"
)

// translator turns scenarios into what the API of --profile is sent, and tells
// what was left out. Without a profile it changes nothing.
func (o runOptions) translator() (func(*scenarios.Scenario) (*scenarios.Scenario, []string, error), error) {
	asIs := func(sc *scenarios.Scenario) (*scenarios.Scenario, []string, error) { return sc, nil, nil }
	if o.profile == "" {
		return asIs, nil
	}
	p, err := profiles.Open(o.profile)
	if err == nil && o.url == "" && !o.dry {
		err = errors.New("--profile needs --url: a stack that is started here is the clinic itself")
	}
	if err != nil {
		return asIs, err
	}
	return func(sc *scenarios.Scenario) (*scenarios.Scenario, []string, error) {
		sc, notes, err := p.Scenario(sc)
		if err == nil {
			notes = append([]string{"sent by profile " + p.Name + ", another API's paths and fields; the clinic's are in the scenario"}, notes...)
		}
		return sc, notes, err
	}, nil
}
