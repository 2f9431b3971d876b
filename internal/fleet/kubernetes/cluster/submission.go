package cluster

import (
	"os"
	"strings"

	"vitals/internal/exit"
	"vitals/internal/fleet/kubernetes"
	"vitals/internal/harness"
)

// Submission is what is asked of a run whose members are pods.
type Submission struct {
	Job                 kubernetes.Job // its image, secrets and bounds; the rest is the run's
	Kubeconfig, Context string         // "" = as Open says
}

// Engine makes the engine that submits the run. What the members read goes along in
// a config map. Errors carry an exit code.
func (s Submission) Engine(o harness.Options, l harness.Lead) (harness.Engine, error) {
	j := s.Job
	j.Name, j.Run, j.Workers, j.MaxLost = strings.ToLower(l.Run), l.Run, l.Members, l.MaxLost
	var names [3]string
	for i, name := range []string{o.Scenarios[0], o.Targets, o.Profile} {
		names[i] = name
		if _, err := os.Stat(name); err != nil { // a built-in one
			continue
		}
		names[i] = kubernetes.PlanFile(name)
		if err := j.Add(name); err != nil {
			return nil, exit.With(exit.Usage, err)
		}
	}
	j.Args = append(o.MemberArgs(names[0], names[1], names[2]), "--quiet")
	if _, _, err := kubernetes.Objects(j); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	e, err := Open(s.Kubeconfig, s.Context, j)
	if err != nil {
		return nil, exit.With(exit.NoSystem, err)
	}
	return e, nil
}
