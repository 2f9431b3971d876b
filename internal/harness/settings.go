package harness

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vitals/internal/stack"
	"vitals/internal/strict"
)

// stackOwn are settings that no --set may touch: the stack chooses them, or they
// are secrets, which would stand in the process list.
var stackOwn = []string{
	"ENV", "HOST", "PORT", "ADMIN_ADDR", "REPLICAS", "TRUSTED_PROXIES", "TRUSTED_PROXY_HEADER",
	"SECRET_KEY", "SECRET_KEY_PREVIOUS", "DATABASE_URL", "REDIS_URL", "MAIL_SINK", "SENTRY_DSN",
}

// settings reads every --set NAME=VALUE, and has the API's own rules check them.
func settings(texts []string) (map[string]string, error) {
	known, _, err := stack.Describe(map[string]string{"ENV": "test"})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range known {
		if !slices.Contains(stackOwn, s.Name) {
			names = append(names, s.Name)
		}
	}
	set := map[string]string{}
	var errs []error
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		_, twice := set[name]
		switch {
		case slices.Contains(stackOwn, name):
			errs = append(errs, fmt.Errorf("--set %s: the stack sets it itself, or it is a secret, which belongs in no flag", name))
		case !ok:
			errs = append(errs, fmt.Errorf("--set %s: want NAME=VALUE", text))
		case !slices.Contains(names, name):
			errs = append(errs, &strict.Error{Msg: fmt.Sprintf("--set: the API has no setting %q", name), Hint: strict.Hint(name, names)})
		case twice:
			errs = append(errs, fmt.Errorf("--set %s stands twice", name))
		default:
			set[name] = value
		}
	}
	if len(errs) == 0 && len(set) > 0 {
		env := maps.Clone(set)
		env["ENV"] = "test"
		if _, _, err := stack.Describe(env); err != nil {
			errs = append(errs, fmt.Errorf("--set: %w", err))
		}
	}
	return set, errors.Join(errs...)
}

// mostCores is more than any machine has.
const mostCores = 1 << 16

// checkCores refuses a number of cores that is none.
func (o Options) checkCores() error {
	if !(o.Cores >= 0 && o.Cores <= mostCores) {
		return fmt.Errorf("--cores %g: want how many cores the system may use, or 0 where that is not known", o.Cores)
	}
	return nil
}

// onlyContainers finds flags that the stack asked for cannot serve.
func (o Options) onlyContainers() error {
	var errs []error
	if len(o.Faults) > 0 && o.Stack != "containers" {
		errs = append(errs, errors.New("--fault needs --stack containers: nothing else here has parts of its own to break"))
	}
	if o.Replicas != 1 && o.Stack != "containers" {
		errs = append(errs, errors.New("--replicas needs --stack containers"))
	}
	if o.CPUs != 0 && o.Stack != "containers" {
		errs = append(errs, errors.New("--cpus needs --stack containers: only a container's processor time can be limited"))
	}
	if o.CPUs != 0 && !(o.CPUs >= 0.01 && o.CPUs <= mostCores) { // NaN is in no order
		errs = append(errs, fmt.Errorf("--cpus %g: want at least 0.01, or 0 for all", o.CPUs))
	}
	if o.Replicas < 1 || o.Replicas > 16 {
		errs = append(errs, fmt.Errorf("--replicas %d: want 1 to 16", o.Replicas))
	}
	if len(o.Set) > 0 && o.URL != "" {
		errs = append(errs, errors.New("--set is for a stack that is started here; a deployment (--url) has its settings already"))
	}
	return errors.Join(errs...)
}
