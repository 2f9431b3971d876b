package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
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
func (s Submission) Engine(p *harness.Plan, l harness.Lead) (harness.Engine, error) {
	j, err := s.job(p, l)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	e, err := Open(s.Kubeconfig, s.Context, j)
	if err != nil {
		return nil, exit.With(exit.NoSystem, err)
	}
	return e, nil
}

// Render writes what Engine would submit as YAML. Nothing is contacted.
func (s Submission) Render(p *harness.Plan, l harness.Lead) ([]byte, error) {
	j, err := s.job(p, l)
	if err != nil {
		return nil, err
	}
	return kubernetes.Render(j)
}

// job is the run's, with all that is wrong with it.
func (s Submission) job(p *harness.Plan, l harness.Lead) (kubernetes.Job, error) {
	o, j := p.Options(), s.Job
	j.Name, j.Run, j.Workers, j.MaxLost = strings.ToLower(l.Run), l.Run, l.Members, l.MaxLost
	errs := []error{reachable(o.URL), p.MayLoad()}
	switch {
	case p.SignsIn() && j.Accounts == "":
		errs = append(errs, errors.New("the scenario signs in: name the secret that holds the members' accounts (--accounts-secret)"))
	case o.Accounts != "" && j.Accounts == "":
		errs = append(errs, errors.New("the members cannot read this machine's --accounts: put the file into a secret, and name that (--accounts-secret)"))
	}
	var names [3]string
	for i, name := range []string{o.Scenarios[0], o.Targets, o.Profile} {
		names[i] = name
		if _, err := os.Stat(name); err != nil { // a built-in one
			continue
		}
		names[i] = kubernetes.PlanFile(name)
		errs = append(errs, j.Add(name))
	}
	j.Args = append(o.MemberArgs(names[0], names[1], names[2]), "--quiet")
	_, _, err := kubernetes.Objects(j)
	return j, errors.Join(append(errs, err)...)
}

// reachable is an error for a deployment that pods do not reach.
func reachable(text string) error {
	u, err := url.Parse(text)
	if text == "" || err != nil {
		return errors.New("the members need a deployment that all of them reach: name it with --url")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return fmt.Errorf("--url %s: in a pod that is the pod itself: name the deployment as the pods reach it", u.Redacted())
	}
	return nil
}
