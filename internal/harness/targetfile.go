package harness

import (
	"errors"

	"vitals/internal/targetfile"
	"vitals/scenarios"
)

// readTargetFiles reads those of the scenarios that are vegeta's target files, by name;
// where nobody said which system is meant, it is the one that they name. It changes o.
func (o *Options) readTargetFiles() (map[string]*scenarios.Scenario, error) {
	found := map[string]*scenarios.Scenario{}
	var errs []error
	for _, name := range o.Scenarios {
		if !targetfile.Is(name) {
			continue
		}
		found[name] = nil
		if o.Rate == "" || o.For == "" {
			errs = append(errs, errors.New(name+" holds vegeta's targets, which say nothing of a load: add --rate 50/s --for 10s"))
			continue
		}
		sc, base, err := targetfile.Read(name, o.Rate, o.For)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found[name] = sc
		switch {
		case o.Stack != "":
			errs = append(errs, errors.New(name+" names the system itself ("+base.String()+"): leave --stack out, or say --url where another is meant"))
		case o.URL == "":
			o.URL = base.String()
		}
	}
	if len(found) == 0 && o.Rate+o.For != "" {
		errs = append(errs, errors.New("--rate and --for are for vegeta's target files: a scenario has its own load"))
	}
	return found, errors.Join(errs...)
}
