package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/scenarios"
	"vitals/targets"
)

// runOptions are the flags of `vitals run`.
type runOptions struct {
	scenarios       []string
	stack, url      string
	pace            string
	targets         string
	profile         string
	dry             bool // only read: no stack, no folder
	out             string
	seed            uint64
	iOwn            []string
	allowProduction bool
	forward         bool
	accounts        string // file; the environment's VITALS_ACCOUNTS names one too
	metrics         string
	cores           float64
	replicas        int
	faults          []string
	set             []string
	images          containers.Images
	format          string
}

func newRunCmd(s streams) *cobra.Command {
	o := runOptions{}
	cmd := &cobra.Command{
		Use:   "run [SCENARIO…]",
		Short: "Put a system under load, judge it, and leave a document and a baseline",
		Long: `Run the named scenarios (or files) one after the other against one system, judge
each against the targets, and write OUT/document.json and OUT/baseline.json.
Without a name: ` + strings.Join(scenarios.Names(), ", ") + `.

The system under test is the embedded reference API (the default, nothing to
install), the same API beside Postgres and Redis in containers, or a deployment
that is already there (--url). Load and intruders go to loopback and private
addresses only; any other host must be named with --i-own.

--fault breaks a part of the container stack in every scenario, AT from its start,
and mends it FOR later or with the run's end: redis, postgres, api, api-2… are
stopped (stop), frozen (pause) or killed (kill; without +FOR started again at
once). What is due meanwhile stands in the phase "fault", and what is due in the
time that recovery may take in "recovering"; both are judged only by targets that
say so (errors < 1% during fault). Two figures are for such a run:
  fault.recovery   from a fault's end until requests go as expected again;
                   judged by < 5s where no target says otherwise
  fault.leaked     guesses judged beyond what the API declares for the time
                   (RATE_LIMIT_REDIS_FAILURE), and locks that were forgotten;
                   judged by == 0

` + exitTable,
		Example: `  vitals run --pace quick
  vitals run normal peak --stack containers --pace quick
  vitals run normal --stack containers --replicas 2 --fault redis:stop@60s+10s
  vitals run mine.yaml --url http://127.0.0.1:8000 --accounts accounts.csv --targets mine-targets.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.scenarios = args
			return runRun(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.stack, "stack", "", "where the system under test comes from: embedded (default) or containers")
	f.StringVar(&o.url, "url", "", "a deployment that is already there, instead of --stack")
	f.StringVar(&o.pace, "pace", "full", "full, or quick: shorter holds, users signed in before the measured window")
	f.StringVar(&o.targets, "targets", "production", "targets to judge by: "+strings.Join(targets.Names(), ", ")+", or a file")
	f.StringVar(&o.profile, "profile", "", "with --url: send the clinic's operations as this API's: "+strings.Join(profile.Names(), ", ")+", or a file")
	f.StringVar(&o.out, "out", "out", "folder for document.json, baseline.json and the API's log")
	f.Uint64Var(&o.seed, "seed", 1, "seed of every choice the load makes")
	f.StringSliceVar(&o.iOwn, "i-own", nil, "host that is yours to load, though neither loopback nor private")
	f.BoolVar(&o.allowProduction, "allow-production", false, "load a host whose /health says env: production")
	f.BoolVar(&o.forward, "forwarded", false, "with --url: this machine is a trusted proxy there, so give every user an address of its own in X-Forwarded-For")
	f.StringVar(&o.accounts, "accounts", os.Getenv("VITALS_ACCOUNTS"), "with --url: CSV file with the columns email and password of accounts to sign in as")
	f.StringVar(&o.metrics, "metrics", "", "with --url: its Prometheus page, to judge its CPU by")
	f.Float64Var(&o.cores, "cores", 0, "with --url: cores that it may use, to judge its CPU by")
	f.IntVar(&o.replicas, "replicas", 1, "with --stack containers: API processes side by side")
	f.StringArrayVar(&o.faults, "fault", nil, "with --stack containers: PART:ACTION@AT+FOR, as in redis:stop@10s+5s; again for another")
	f.StringArrayVar(&o.set, "set", nil, "setting of the stack's API, NAME=VALUE, as in RATE_LIMIT_REDIS_FAILURE=closed; no secret")
	f.StringVar(&o.images.API, "api-image", os.Getenv("VITALS_API_IMAGE"), "with --stack containers: API image (default: built from this binary)")
	f.StringVar(&o.images.Postgres, "postgres-image", os.Getenv("VITALS_POSTGRES_IMAGE"), "with --stack containers: Postgres image (default "+containers.DefaultPostgres+")")
	f.StringVar(&o.images.Redis, "redis-image", os.Getenv("VITALS_REDIS_IMAGE"), "with --stack containers: Redis image (default "+containers.DefaultRedis+")")
	return cmd
}

func runRun(ctx context.Context, s streams, o runOptions) error {
	p, err := newPlan(o)
	if err != nil {
		return &exit{exitUsage, err}
	}
	binary, err := os.Executable()
	if err != nil {
		return noSystem(fmt.Errorf("find this binary, which is also the API: %w", err))
	}
	drain, kill, stop := interruptible(ctx, s.Err)
	defer stop()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // our garbage is little; our memory shall stay level
	}

	starter, err := o.starter(p, binary, s)
	if err != nil {
		return &exit{exitUsage, err}
	}
	st, err := starter.Start(drain)
	if err != nil {
		var refused *stack.NotOwned
		switch {
		case drain.Err() != nil:
			return &exit{exitInterrupted, errors.New("interrupted before anything was measured")}
		case errors.As(err, &refused):
			return &exit{exitUsage, err}
		}
		return noSystem(err)
	}
	defer func() { // on a panic as well
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := st.Close(ctx); err != nil {
			fmt.Fprintln(s.Err, "vitals: clean up:", err)
		}
	}()
	return newSession(s, o, p, st, binary).run(drain, kill)
}

// plan is what a run will do, read and checked before anything is started.
type plan struct {
	scenarios []*scenarios.Scenario
	targets   []targets.Target
	url       *url.URL
	metrics   *url.URL
	accounts  []stack.Account
	faults    []fault
	set       map[string]string                // of the stack's API
	profile   *profile.Profile                 // of --profile; nil = the scenarios as they are written
	notes     map[*scenarios.Scenario][]string // what the profile changed
}

// newPlan reads all input and reports all that is wrong with it, not the first.
func newPlan(o runOptions) (plan, error) {
	p := plan{notes: map[*scenarios.Scenario][]string{}}
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if o.pace != "full" && o.pace != "quick" {
		note(fmt.Errorf("--pace %s: want full or quick", o.pace))
	}
	switch {
	case o.url != "" && o.stack != "":
		note(errors.New("--url and --stack exclude each other: the system is there already, or it is started"))
	case o.url == "" && o.stack != "" && o.stack != "embedded" && o.stack != "containers":
		note(fmt.Errorf("--stack %s: want embedded or containers (or --url for a deployment that is there)", o.stack))
	}
	note(o.onlyContainers())
	var err error
	p.faults, err = parseFaults(o.faults, o.replicas)
	note(err)
	p.set, err = settings(o.set)
	note(err)
	if p.targets, err = targets.Open(o.targets); err != nil {
		note(err)
	}
	if len(p.faults) > 0 {
		p.targets = impliedTargets(p.targets)
	}
	p.profile, err = o.openProfile()
	note(err)
	names := o.scenarios
	if len(names) == 0 {
		names = scenarios.Names()
	}
	for _, name := range names {
		sc, err := scenarios.Open(name)
		if err != nil {
			note(err)
			continue
		}
		warnings := sc.Warnings
		sc, notes, err := p.translated(sc)
		if err != nil {
			note(err)
			continue
		}
		for _, w := range warnings {
			notes = append(notes, w.Error())
		}
		p.notes[sc] = notes
		scope := sc.Scope()
		if len(o.faults) > 0 {
			scope.Phases = append(scope.Phases, faulty, recovering)
		}
		note(targets.Check(p.targets, scope))
		note(checkFaults(p.faults, sc, o.pace, recoveryAllowed(slices.Concat(p.targets, sc.Targets), sc.Name)))
		p.scenarios = append(p.scenarios, sc)
	}
	known := scenarios.All()
	for _, sc := range p.scenarios {
		known = append(known, sc.Name)
	}
	note(targets.CheckOnly(p.targets, known))
	if o.url != "" {
		p.url, err = parseURL("--url", o.url)
		note(err)
		if o.metrics != "" {
			p.metrics, err = parseURL("--metrics", o.metrics)
			note(err)
		}
		if o.accounts == "" {
			note(errors.New("--url needs accounts to sign in as: --accounts FILE, or VITALS_ACCOUNTS=FILE (CSV with the columns email and password)"))
		} else {
			p.accounts, err = readAccounts(o.accounts)
			note(err)
		}
	}
	if !o.dry {
		note(writable(o.out))
	}
	return p, errors.Join(errs...)
}

func parseURL(flag, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s %q: want http://host:port or https://host", flag, text)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%s: no user or password in a URL: it would stand in the process list; accounts come from a file", flag)
	}
	return u, nil
}

// writable makes the folder and proves that a file can be kept there, before an
// hour is spent on figures that cannot be saved.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--out %s: %w", dir, err)
	}
	f, err := os.CreateTemp(dir, ".vitals-*")
	if err != nil {
		return fmt.Errorf("--out %s: %w", dir, err)
	}
	_ = f.Close()
	return os.Remove(f.Name())
}

// starter makes the stack that the flags ask for.
func (o runOptions) starter(p plan, binary string, s streams) (stack.Starter, error) {
	log := filepath.Join(o.out, "api.log")
	n := p.accountsNeeded(o.pace, o.replicas)
	switch {
	case p.url != nil:
		return stack.External{
			URL: p.url, Metrics: p.metrics, Cores: o.cores, Accounts: p.accounts, Own: o.iOwn,
			AllowProduction: o.allowProduction, Forward: o.forward, Client: &http.Client{Timeout: 10 * time.Second},
		}, nil
	case o.stack == "containers":
		return containers.Starter{Binary: binary, Images: o.images, Accounts: n, Replicas: o.replicas, Env: p.set, LogFile: log, Talk: s.Err}, nil
	}
	return stack.Embedded{Binary: binary, Accounts: n, LogFile: log, Env: p.set, Talk: s.Err}, nil
}
