package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/audit"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/report"
)

// auditOptions are the flags of `vitals audit`.
type auditOptions struct {
	url, stack      string
	only            []string
	class           string
	iOwn            []string
	allowProduction bool
	forward         bool
	profile         string
	accounts        string
	metrics         string
	origin          string
	shortClock      bool
	patience        time.Duration
	maySkip         []string
	standard        []string
	discover        bool
	explain         string
	out             string
	images          containers.Images
}

// newAuditCmd is `vitals audit`.
func newAuditCmd(s streams) *cobra.Command {
	o := auditOptions{}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Carry out the security checklist on the wire, line by line",
		Long: `Send the probes of the checklist to one API and say PASS, FAIL or SKIP(reason)
for each, with its transcript in OUT/audit.json.

Safe probes guess no credential, create nothing and stay under 5 requests a
second; they may be sent anywhere. Intrusive probes lock addresses, spend quotas
and make data: they need --i-own HOST, or a stack of our own. Control probes
start, configure and break an API: they need --stack.

Each probe says what it rests on: a promise of the profile, or a published standard.
A broken promise is a FAIL. What a standard asks and nobody promised is ADVICE, which
fails nothing by itself; --standard asks for a standard as if it were promised. What is
neither is not asked.

A line that was skipped was not proved: without a FAIL the exit code is then 3,
unless --may-skip names it.

` + exit.Table,
		Example: `  vitals audit --url https://staging.example.org
  vitals audit --url http://127.0.0.1:8000 --i-own 127.0.0.1 --class intrusive --accounts accounts.csv --only LK,CO
  vitals audit --stack embedded --short-clock
  vitals audit --discover --url http://127.0.0.1:8000 --i-own 127.0.0.1 --profile vitals/profile.yaml --accounts accounts.csv
  vitals audit --explain LK8`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAudit(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", "", "a deployment that is already there")
	f.StringVar(&o.stack, "stack", "", "a stack of our own instead: embedded or containers")
	f.StringSliceVar(&o.only, "only", nil, "families (LK) or probes (LK8) to run; default all")
	f.StringVar(&o.class, "class", "", "run probes up to this class: safe, intrusive or control (default safe; control with --stack)")
	f.StringSliceVar(&o.iOwn, "i-own", nil, "host that is yours to probe intrusively")
	f.BoolVar(&o.allowProduction, "allow-production", false, "probe a host intrusively whose /health says env: production")
	f.BoolVar(&o.forward, "forwarded", false, "with --url: this machine is a trusted proxy there, so client addresses travel in X-Forwarded-For")
	f.StringVar(&o.profile, "profile", "clinic", "the API's paths and fields: "+strings.Join(profile.Names(), ", ")+", or a file")
	f.StringVar(&o.accounts, "accounts", os.Getenv("VITALS_ACCOUNTS"), "with --url: CSV file with the columns email and password of test accounts")
	f.StringVar(&o.metrics, "metrics", "", "with --url: its Prometheus page")
	f.StringVar(&o.origin, "origin", "", "with --url: an origin that its CORS settings allow")
	f.BoolVar(&o.shortClock, "short-clock", false, "with --stack: locks of seconds instead of 900 s; labelled so in every report")
	f.DurationVar(&o.patience, "patience", 20*time.Minute, "longest single wait of a probe, as for a lock's end; probes that wait longer are skipped")
	f.StringSliceVar(&o.maySkip, "may-skip", nil, "families or probes whose SKIP does not make the exit code 3")
	f.BoolVar(&o.discover, "discover", false, "with --url and --i-own: find out the limit on signing in, and print it for the profile and the document")
	f.StringSliceVar(&o.standard, "standard", nil, "hold the API to these standards as if it promised them: "+strings.Join(profile.Standards(), ", "))
	f.StringVar(&o.explain, "explain", "", "tell why a probe or family matters and how to mend what it finds, and leave")
	f.StringVar(&o.out, "out", "out", "folder for audit.json and the API's log")
	f.StringVar(&o.images.API, "api-image", os.Getenv("VITALS_API_IMAGE"), "with --stack containers: API image (default: built from this binary)")
	f.StringVar(&o.images.Postgres, "postgres-image", os.Getenv("VITALS_POSTGRES_IMAGE"), "with --stack containers: Postgres image (default "+containers.DefaultPostgres+")")
	f.StringVar(&o.images.Redis, "redis-image", os.Getenv("VITALS_REDIS_IMAGE"), "with --stack containers: Redis image (default "+containers.DefaultRedis+")")
	return cmd
}

// auditPlan is what an audit will do, checked before anything is sent.
type auditPlan struct {
	probes   []audit.Probe
	profile  *profile.Profile
	url      *url.URL
	metrics  *url.URL
	accounts []stack.Account
	class    audit.Class
}

func newAuditPlan(o auditOptions) (p auditPlan, err error) {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	p.class = audit.Safe
	switch {
	case o.url == "" && o.stack == "":
		note(errors.New("nothing to audit: want --url URL, or --stack embedded or containers"))
	case o.url != "" && o.stack != "":
		note(errors.New("--url and --stack exclude each other: the system is there already, or it is started"))
	case o.stack != "" && o.stack != "embedded" && o.stack != "containers":
		note(fmt.Errorf("--stack %s: want embedded or containers", o.stack))
	case o.stack != "":
		p.class = audit.Control
	}
	if o.class != "" {
		if err := p.class.UnmarshalText([]byte(o.class)); err != nil {
			note(fmt.Errorf("--class: %w", err))
		}
	}
	if o.discover {
		p.class = audit.Intrusive // it locks addresses
		if o.url == "" {
			note(errors.New("--discover needs --url: what a stack of ours keeps is documented"))
		}
	}
	if o.shortClock && o.stack == "" {
		note(errors.New("--short-clock needs --stack: the clocks of a deployment are its own"))
	}
	if p.probes, err = audit.Select(p.class, o.only); err != nil {
		note(fmt.Errorf("--only: %w", err))
	}
	if _, err := audit.Select(audit.Control, o.maySkip); err != nil {
		note(fmt.Errorf("--may-skip: %w", err))
	}
	p.profile, err = profile.Open(o.profile)
	note(err)
	for _, name := range o.standard {
		if !slices.Contains(profile.Standards(), name) {
			note(fmt.Errorf("--standard: no standard %q: want %s", name, strings.Join(profile.Standards(), " or ")))
		}
	}
	if o.url != "" {
		p.url, err = harness.ParseURL("--url", o.url)
		note(err)
		if o.metrics != "" {
			p.metrics, err = harness.ParseURL("--metrics", o.metrics)
			note(err)
		}
		if o.accounts != "" {
			p.accounts, err = harness.ReadAccounts(o.accounts)
			note(err)
		}
		if p.url != nil && p.class >= audit.Intrusive && !slices.Contains(o.iOwn, p.url.Hostname()) {
			note(fmt.Errorf("--class %s locks addresses, spends quotas and makes data: name the host with --i-own %s if it is yours", p.class, p.url.Hostname()))
		}
	}
	note(harness.Writable(o.out))
	return p, errors.Join(errs...)
}

func runAudit(ctx context.Context, s streams, o auditOptions) error {
	if o.explain != "" {
		words, err := audit.Explain(o.explain)
		if err != nil {
			return exit.Errorf(exit.Usage, "--explain: %w", err)
		}
		_, err = fmt.Fprint(s.Out, words)
		return err
	}
	p, err := newAuditPlan(o)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	release, err := stack.Output(o.out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // what stays locked is no one's
	drain, _, stop := interruptible(ctx, s.Err)
	defer stop()
	target, owner, closeAll, err := o.target(drain, p, s)
	if closeAll != nil {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := closeAll(ctx); err != nil {
				fmt.Fprintln(s.Err, "vitals: clean up:", err)
			}
		}()
	}
	if err != nil {
		return err
	}
	if o.discover {
		return o.discovers(drain, p, target, s)
	}
	rep := audit.Run(drain, p.probes, target, audit.Options{
		Owner: owner, Patience: o.patience, Standard: o.standard, Progress: auditTalk(s.Err), Siege: o.siege(s),
	})
	file := filepath.Join(o.out, "audit.json")
	if err := report.WriteAudit(o.out, &rep); err != nil {
		return exit.With(exit.NoAnswer, err)
	}
	if err := audit.Print(s.Out, rep); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nTranscripts: %s, and for a browser %s\n", file, filepath.Join(o.out, "report.html"))
	return auditVerdict(drain, rep, o.maySkip)
}

// auditVerdict gives the report its exit code; all words were said.
func auditVerdict(ctx context.Context, rep audit.Report, maySkip []string) error {
	unproved := slices.ContainsFunc(rep.Findings, func(f audit.Finding) bool {
		family := strings.TrimRight(f.ID, "0123456789")
		may := slices.ContainsFunc(maySkip, func(w string) bool { return strings.EqualFold(w, f.ID) || strings.EqualFold(w, family) })
		return f.Status == audit.Skip && !may
	})
	switch {
	case ctx.Err() != nil:
		return exit.Said(exit.Interrupted)
	case rep.Counts.Fail > 0 || len(rep.Violations) > 0:
		return exit.Said(exit.Fail)
	case unproved || rep.Counts.Pass+rep.Counts.Advice == 0:
		return exit.Said(exit.NoAnswer)
	}
	return nil
}

// auditTalk tells of progress, a line for each probe and each long wait.
func auditTalk(w io.Writer) func(audit.Progress) {
	return func(p audit.Progress) {
		switch {
		case p.Finding != nil:
			fmt.Fprintf(w, "[%d/%d] %s %s, %v\n", p.Done, p.Of, p.Finding.Status, p.Probe.ID, p.Finding.Took)
		case p.Wait > 0:
			fmt.Fprintf(w, "%s waits %v: %s\n", p.Probe.ID, p.Wait.Round(time.Second), p.Words)
		}
	}
}
