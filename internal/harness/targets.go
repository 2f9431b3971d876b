package harness

import (
	"slices"
	"strconv"
	"strings"

	"vitals/internal/intruders"
	"vitals/scenarios"
	"vitals/targets"
)

// noTargets is the name that asks for no targets but the scenarios' own.
const noTargets = "none"

func openTargets(name string) ([]targets.Target, error) {
	if name == noTargets {
		return nil, nil
	}
	return targets.Open(name)
}

// asked are the targets that a scenario is held to, its own among them. A built-in
// set asks only what the scenario measures, and its lockout begins where the
// profile's limit says: of an API that no profile is known of, it asks no lock.
func (p *Plan) asked(sc *scenarios.Scenario) []targets.Target {
	if strings.ContainsAny(p.o.Targets, `./\`) { // a file says what it means
		return slices.Concat(p.targets, sc.Targets)
	}
	measured := intruders.Measured(sc.Intruder, p.profile)
	var out []targets.Target
	for _, t := range p.targets {
		if attack := strings.HasPrefix(t.Metric, "lockout.") || strings.HasPrefix(t.Metric, "intruders."); attack && !slices.Contains(measured, t.Metric) || p.api() == nil && lock(t.Metric) {
			continue
		}
		if t.Metric == "lockout.admitted" && p.profile != nil {
			if limit, ok := p.profile.Limits[p.profile.Role("login")]; ok && limit.Limit > 0 {
				t = at(t, limit.Limit)
			}
		}
		out = append(out, t)
	}
	return append(out, sc.Targets...)
}

// at is an equality target with another limit.
func at(t targets.Target, limit int) targets.Target {
	if t.Op != "==" || float64(limit) == t.Limit {
		return t
	}
	changed, err := targets.Parse(t.Metric + " == " + strconv.Itoa(limit))
	if err != nil {
		return t
	}
	changed.Only, changed.Except, changed.File, changed.Line, changed.Col = t.Only, t.Except, t.File, t.Line, t.Col
	return changed
}
