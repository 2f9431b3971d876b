package main

import (
	"os"
	"strings"

	"github.com/spf13/pflag"

	"vitals/internal/harness"
	"vitals/internal/profile"
	"vitals/internal/stack/containers"
	"vitals/targets"
)

// systemFlags are those of commands that run scenarios again and again: where
// the system comes from, and how it may be loaded.
func systemFlags(f *pflag.FlagSet, o *harness.Options) {
	f.StringVar(&o.Stack, "stack", "", "where the system under test comes from: embedded (default) or containers")
	f.StringVar(&o.Targets, "targets", "production", "targets to judge by: "+strings.Join(targets.Names(), ", ")+", or a file")
	f.StringVar(&o.Profile, "profile", "", "with a URL: send the clinic's operations as this API's: "+strings.Join(profile.Names(), ", ")+", or a file")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of every choice the load makes")
	f.StringSliceVar(&o.Own, "i-own", nil, "host that is yours to load, though neither loopback nor private")
	f.BoolVar(&o.AllowProduction, "allow-production", false, "load a host whose /health says env: production")
	f.BoolVar(&o.Forward, "forwarded", false, "with a URL: this machine is a trusted proxy there, so give every user an address of its own in X-Forwarded-For")
	f.StringVar(&o.Accounts, "accounts", os.Getenv("VITALS_ACCOUNTS"), "with a URL: CSV file with the columns email and password of accounts to sign in as")
	f.StringVar(&o.Metrics, "metrics", "", "with a URL: its Prometheus page, to judge its CPU by")
	f.Float64Var(&o.Cores, "cores", 0, "with a URL: cores that it may use, to judge its CPU by")
	f.StringArrayVar(&o.Set, "set", nil, "setting of the stack's API, NAME=VALUE; no secret")
	f.StringVar(&o.Images.Postgres, "postgres-image", os.Getenv("VITALS_POSTGRES_IMAGE"), "with --stack containers: Postgres image (default "+containers.DefaultPostgres+")")
	f.StringVar(&o.Images.Redis, "redis-image", os.Getenv("VITALS_REDIS_IMAGE"), "with --stack containers: Redis image (default "+containers.DefaultRedis+")")
	f.StringVar(&o.Note, "note", "", "a sentence that is kept with the session and shown when it is compared")
	o.Replicas, o.Pace = 1, "quick"
}
