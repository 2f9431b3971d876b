package server

import "vitals/server/config"

// Description is a configuration for people and reports: every variable in
// force, secrets redacted, and where it departs from the published limits.
type Description struct {
	Variables  []config.Line      `json:"variables"`
	Deviations []config.Deviation `json:"deviations"` // empty = the limits are the published ones
}

// Describe is what `vitals serve config --json` prints.
func Describe(cfg *config.Config) Description {
	d := Description{Variables: cfg.Describe(), Deviations: cfg.Deviations()}
	if d.Deviations == nil {
		d.Deviations = []config.Deviation{}
	}
	return d
}
