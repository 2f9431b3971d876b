package importer

import (
	"errors"
	"fmt"
	"strings"

	"vitals/internal/profile"
	"vitals/scenarios"
	"vitals/targets"
)

// check reads the files as vitals run and vitals audit would.
func (f *Files) check(string) error {
	var errs []error
	if _, err := profile.Read(strings.NewReader(f.Profile), "profile.yaml"); err != nil {
		errs = append(errs, err)
	}
	if _, err := scenarios.Read(strings.NewReader(f.Scenario), "scenario.yaml"); err != nil {
		errs = append(errs, err)
	}
	if _, err := targets.ParseFile(strings.NewReader(f.Targets), "targets.yaml"); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}
