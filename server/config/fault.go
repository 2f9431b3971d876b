package config

import (
	"slices"
	"strings"

	"vitals/server/fault"
)

// broken says loudly that an API is broken on purpose, and refuses a fault that
// does not exist, or one in production.
func broken(r *report, env map[string]string, e Env) {
	if d := fault.Slow(); d > 0 {
		if e == Production {
			r.refuse(fault.Variable, "this build is slow on purpose, and never in production")
		}
		r.warn(fault.Variable, "THIS API IS SLOW ON PURPOSE: a list of medications takes "+d.String()+" longer")
	}
	on := env[fault.Variable]
	if on == "" {
		r.warn(fault.Variable, "THIS BUILD CAN BE BROKEN ON PURPOSE (-tags faults); no fault is on")
		return
	}
	all := fault.All()
	var names []string
	for _, f := range all {
		names = append(names, string(f.Name))
	}
	at := slices.Index(names, on)
	switch {
	case at < 0:
		text := "names no fault of this build"
		if n := nearest(on, names); n != "" {
			text += "; did you mean " + n + "?"
		}
		r.refuse(fault.Variable, text+" (there are "+strings.Join(names, ", ")+")")
	case e == Production:
		r.refuse(fault.Variable, "breaks the API on purpose, and never in production")
	default:
		r.warn(fault.Variable, "THIS API IS BROKEN ON PURPOSE: "+all[at].Does)
	}
}
