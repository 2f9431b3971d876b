package stack

import (
	"fmt"

	"vitals/server/config"
)

// Describe reads the configuration that the API will start with by the API's
// own rules: what is in force, and how it deviates from the published limits.
func Describe(env map[string]string) ([]Setting, []string, error) {
	cfg, _, err := config.Load(env)
	if err != nil {
		return nil, nil, fmt.Errorf("the API's configuration: %w", err)
	}
	var settings []Setting
	for _, l := range cfg.Describe() {
		settings = append(settings, Setting(l))
	}
	var deviations []string
	for _, d := range cfg.Deviations() {
		deviations = append(deviations, d.String())
	}
	return settings, deviations, nil
}
