package harness

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"

	"vitals/internal/faults"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/strict"
	"vitals/scenarios"
	"vitals/targets"
)

// Plan is what a run will do, read and checked before anything is started.
type Plan struct {
	o         Options
	scenarios []*scenarios.Scenario
	targets   []targets.Target
	url       *url.URL
	metrics   *url.URL
	pprof     *url.URL
	accounts  []stack.Account
	tls       *tls.Config // nil = what this machine trusts
	faults    []faults.Fault
	set       map[string]string                // of the stack's API
	profile   *profile.Profile                 // of Options.Profile; nil = the scenarios as they are written
	notes     map[*scenarios.Scenario][]string // what the profile changed
	named     map[*scenarios.Scenario]string   // how the command named them
	files     map[string]*scenarios.Scenario   // read from vegeta's target files, by their names
	against   earlier
	member    *member // nil = the whole run
}

// Read reads all input and reports all that is wrong with it, not the first.
func Read(o Options) (*Plan, error) {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	files, err := o.readTargetFiles()
	note(err)
	p := &Plan{o: o, notes: map[*scenarios.Scenario][]string{}, named: map[*scenarios.Scenario]string{}, files: files}
	if o.Pace != "full" && o.Pace != "quick" {
		note(fmt.Errorf("--pace %s: want full or quick%s", o.Pace, strict.Meant(o.Pace, []string{"full", "quick"})))
	}
	switch {
	case o.URL != "" && o.Stack != "":
		note(errors.New("--url and --stack exclude each other: the system is there already, or it is started"))
	case o.URL == "" && o.Stack != "" && o.Stack != "embedded" && o.Stack != "containers":
		note(fmt.Errorf("--stack %s: want embedded or containers (or --url for a deployment that is there)%s", o.Stack, strict.Meant(o.Stack, []string{"embedded", "containers"})))
	}
	note(o.onlyContainers())
	note(o.checkCores())
	note(checkTraceURL(o.TraceURL))
	note(o.Window.Check())
	if o.Repeat < 0 {
		note(fmt.Errorf("--repeat %d: want 1 or more", o.Repeat))
	}
	if o.Retries < 0 {
		note(fmt.Errorf("--retries %d: want 0 or more", o.Retries))
	}
	if o.Repeat > 1 && o.Member != "" {
		note(errors.New("--repeat and --member exclude each other: a share is delivered once"))
	}
	p.faults, err = faults.Parse(o.Faults, o.Replicas)
	note(err)
	p.set, err = settings(o.Set)
	note(err)
	if p.targets, err = openTargets(o.Targets); err != nil {
		note(err)
	}
	if len(p.faults) > 0 {
		p.targets = faults.Targets(p.targets)
	}
	p.profile, err = o.openProfile()
	note(err)
	note(p.readScenarios())
	note(p.readURL())
	p.against, err = o.readAgainst()
	note(err)
	p.member, err = p.readMember()
	note(err)
	if err := errors.Join(errs...); err != nil || o.ReadOnly {
		return p, err
	}
	return p, Writable(o.Out)
}

// Options are what was asked.
func (p *Plan) Options() Options { return p.o }

// MayLoad is an error when the deployment is somebody's who did not agree, as far as a
// name tells: see stack.MayLoad. Nobody is asked.
func (p *Plan) MayLoad() error {
	if p.url == nil {
		return nil
	}
	return stack.MayLoad(p.url.Hostname(), p.o.Own)
}

// readScenarios reads the scenarios and checks targets and faults against them.
func (p *Plan) readScenarios() error {
	var errs []error
	names := p.o.Scenarios
	switch {
	case len(names) == 0 && p.o.ReadOnly && p.o.Profile != "" && !p.o.Once:
		return nil // the profile alone is to be checked
	case len(names) == 0:
		names = scenarios.Names()
	}
	for _, name := range names {
		sc, vegeta := p.files[name]
		if vegeta && sc == nil {
			continue // what is wrong with it was told
		}
		var err error
		if !vegeta {
			sc, err = scenarios.Open(name)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		warnings := sc.Warnings
		sc, notes, err := p.translated(sc)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, w := range warnings {
			notes = append(notes, w.Error())
		}
		sc = p.o.Window.of(sc, p.o.Pace)
		for _, name := range sc.Environment() {
			if _, ok := os.LookupEnv(name); ok {
				continue
			}
			unset := fmt.Sprintf("{{env %s}}: the environment variable is not set", name)
			if p.o.ReadOnly { // a file can be checked where its secrets are not
				notes = append(notes, unset+"; a run needs it: export "+name+" before")
				continue
			}
			errs = append(errs, fmt.Errorf("scenario %s needs %s: export %s before, or give it to this command", sc.Name, unset, name))
		}
		p.notes[sc], p.named[sc] = notes, name
		scope := sc.Scope()
		if len(p.o.Faults) > 0 {
			scope.Phases = append(scope.Phases, faults.During, faults.Recovering)
		}
		errs = append(errs, targets.Check(p.targets, scope),
			faults.Check(p.faults, sc, p.o.Pace, faults.RecoveryAllowed(p.asked(sc), sc.Name)))
		p.scenarios = append(p.scenarios, sc)
	}
	known := scenarios.All()
	for _, sc := range p.scenarios {
		known = append(known, sc.Name)
	}
	return errors.Join(append(errs, targets.CheckOnly(p.targets, known))...)
}

// ScenarioNames are the names of the scenarios that were asked for, by which figures and
// flags tell them apart; a file may have any path.
func (o Options) ScenarioNames() ([]string, error) {
	files, err := o.readTargetFiles()
	errs := []error{err}
	var out []string
	for _, name := range o.Scenarios {
		sc, vegeta := files[name]
		if !vegeta {
			if sc, err = scenarios.Open(name); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if sc != nil {
			out = append(out, sc.Name)
		}
	}
	return out, errors.Join(errs...)
}

// readURL reads what is needed of a deployment that is already there.
func (p *Plan) readURL() error {
	if p.o.URL == "" && !(p.o.ReadOnly && p.o.Accounts != "") {
		return nil
	}
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	var err error
	if p.o.URL != "" {
		p.url, err = strict.ParseURL("--url", p.o.URL)
		note(err)
	}
	if p.o.Metrics != "" {
		p.metrics, err = strict.ParseURL("--metrics", p.o.Metrics)
		note(err)
	}
	if p.o.Pprof != "" {
		if p.pprof, err = strict.ParseURL("--pprof", p.o.Pprof); err == nil && p.pprof.Path == "" {
			p.pprof.Path = profilePath
		}
		note(err)
	}
	p.tls, err = ReadTLS(p.o.CA, p.o.Cert, p.o.Key)
	note(err)
	switch {
	case p.o.Accounts != "":
		if p.accounts, err = ReadAccounts(p.o.Accounts); err == nil && !p.o.Once {
			err = p.checkAccounts()
		}
		note(err)
	case p.SignsIn() && !p.o.Leads:
		note(errors.New("--url needs accounts to sign in as: --accounts FILE, or VITALS_ACCOUNTS=FILE (CSV with the columns email and password)"))
	}
	return errors.Join(errs...)
}

// Writable proves that files can be kept in a folder, before an hour is spent on
// figures that cannot be saved. It leaves nothing behind.
func Writable(dir string) error {
	release, err := stack.Output(dir)
	var taken *stack.TakenError
	switch {
	case errors.As(err, &taken):
		return err
	case err != nil:
		return fmt.Errorf("--out %s: %w", dir, err)
	}
	return release()
}
