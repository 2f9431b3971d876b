package main

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"vitals/internal/exit"
	"vitals/internal/fleet/kubernetes"
	"vitals/internal/harness"
	"vitals/internal/profile"
	"vitals/internal/stack/containers"
	"vitals/targets"
)

// program is this program's file, which is also the API and a fleet's members.
func program() (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", exit.Errorf(exit.NoSystem, "find this binary, which is also the API: %w", err)
	}
	return binary, nil
}

// asGiven is what the process knows of a run, and no flag says.
func asGiven(o *harness.Options, scenarios []string) (err error) {
	o.Scenarios, o.Tool, o.Command = scenarios, tool(), os.Args
	o.Binary, err = program()
	return err
}

// systemFlags are those of every command that loads a system: where it comes
// from, and how it may be loaded.
func systemFlags(f *pflag.FlagSet, o *harness.Options) {
	stackFlag(f, &o.Stack)
	targetsFlag(f, &o.Targets)
	profileFlag(f, &o.Profile)
	seedFlag(f, &o.Seed)
	ownFlag(f, &o.Own)
	f.BoolVar(&o.AllowProduction, "allow-production", false, "load a host whose /health says env: production")
	forwardFlag(f, &o.Forward)
	accountsFlag(f, &o.Accounts)
	metricsFlag(f, &o.Metrics)
	f.Float64Var(&o.Cores, "cores", 0, "with a URL: cores that it may use, to judge its CPU by")
	f.StringArrayVar(&o.Set, "set", nil, "setting of the stack's API, NAME=VALUE, as in RATE_LIMIT_REDIS_FAILURE=closed; no secret")
	storeFlags(f, &o.Images)
	f.StringVar(&o.Note, "note", "", "a sentence that is kept with the session and shown when it is compared")
	o.Replicas, o.Pace = 1, "quick"
}

func stackFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "stack", "", "where the system under test comes from: embedded (default) or containers")
}

// certificateFlags are what the HTTPS of a deployment may need.
func certificateFlags(f *pflag.FlagSet, ca, cert, key *string) {
	f.StringVar(ca, "ca", "", "with --url: PEM file of authorities to trust beside the system's")
	f.StringVar(cert, "cert", "", "with --url: PEM file of the certificate that the client shows")
	f.StringVar(key, "key", "", "with --cert: PEM file of its private key")
}

func urlFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "url", "", "a deployment that is already there, instead of --stack")
}

func paceFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "pace", "full", "full, or quick: shorter holds, users signed in before the measured window")
}

func targetsFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "targets", "production", "targets to judge by: none (but the scenario's own), "+strings.Join(targets.Names(), ", ")+", or a file")
}

func profileFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "profile", "", "with a URL: send the clinic's operations as this API's: "+strings.Join(profile.Names(), ", ")+", or a file")
}

func seedFlag(f *pflag.FlagSet, to *uint64) {
	f.Uint64Var(to, "seed", 1, "seed of every choice the load makes")
}

func ownFlag(f *pflag.FlagSet, to *[]string) {
	f.StringSliceVar(to, "i-own", nil, "host that is yours to load, though neither loopback nor private")
}

func forwardFlag(f *pflag.FlagSet, to *bool) {
	f.BoolVar(to, "forwarded", false, "with a URL: this machine is a trusted proxy there, so give every user an address of its own in X-Forwarded-For")
}

func accountsFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "accounts", os.Getenv("VITALS_ACCOUNTS"), "with a URL: CSV files, with commas between them, with the columns email and password of accounts to sign in as")
}

func metricsFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "metrics", "", "with a URL: its Prometheus page, as to judge its CPU by")
}

func apiImageFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "api-image", os.Getenv("VITALS_API_IMAGE"), "with --stack containers: API image (default: built from this binary)")
}

func storeFlags(f *pflag.FlagSet, to *containers.Images) {
	f.StringVar(&to.Postgres, "postgres-image", os.Getenv("VITALS_POSTGRES_IMAGE"), "with --stack containers: Postgres image (default "+containers.DefaultPostgres+")")
	f.StringVar(&to.Redis, "redis-image", os.Getenv("VITALS_REDIS_IMAGE"), "with --stack containers: Redis image (default "+containers.DefaultRedis+")")
}

func imageFlags(f *pflag.FlagSet, to *containers.Images) {
	apiImageFlag(f, &to.API)
	storeFlags(f, to)
}

func loadFlags(f *pflag.FlagSet, rate, length *string) {
	f.StringVar(rate, "rate", "", "with a file of vegeta's targets: requests a second, as in 50/s")
	f.StringVar(length, "for", "", "with a file of vegeta's targets: how long, as in 10s")
}

func rendezvousFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "rendezvous-file", "", "file with the URL of the Redis at which the members meet (never the system's own)")
}

// jobFlags are those of a run's Job, rendered or submitted.
func jobFlags(f *pflag.FlagSet, j *kubernetes.Job) {
	f.StringVar(&j.Namespace, "namespace", "", "with Kubernetes: namespace of the job")
	f.StringVar(&j.Image, "image", "", "with Kubernetes: image of vitals, best by digest")
	f.IntVar(&j.CPUs, "cpus", 1, "with Kubernetes: whole processors for each member")
	f.DurationVar(&j.Deadline, "deadline", time.Hour, "with Kubernetes: after which the job is ended, whatever it does")
	f.StringVar(&j.Meeting, "rendezvous-secret", "", "with Kubernetes: secret that holds the rendezvous' Redis URL under the key url")
	f.StringVar(&j.Accounts, "accounts-secret", "", "with Kubernetes: secret that holds the accounts under the key accounts.csv")
}
