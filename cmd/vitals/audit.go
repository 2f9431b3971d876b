package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vitals/audit"
	"vitals/audit/own"
	"vitals/internal/atomicfile"
	"vitals/profiles"
	"vitals/stack"
	"vitals/stack/containers"
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

A line that was skipped was not proved: without a FAIL the exit code is then 3,
unless --may-skip names it.

` + exitTable,
		Example: `  vitals audit --url https://staging.example.org
  vitals audit --url http://127.0.0.1:8000 --i-own 127.0.0.1 --class intrusive --accounts accounts.csv --only LK,CO
  vitals audit --stack embedded --short-clock
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
	f.StringVar(&o.profile, "profile", "clinic", "the API's paths and fields: "+strings.Join(profiles.Names(), ", ")+", or a file")
	f.StringVar(&o.accounts, "accounts", os.Getenv("VITALS_ACCOUNTS"), "with --url: CSV file with the columns email and password of test accounts")
	f.StringVar(&o.metrics, "metrics", "", "with --url: its Prometheus page")
	f.StringVar(&o.origin, "origin", "", "with --url: an origin that its CORS settings allow")
	f.BoolVar(&o.shortClock, "short-clock", false, "with --stack: locks of seconds instead of 900 s; labelled so in every report")
	f.DurationVar(&o.patience, "patience", 20*time.Minute, "longest single wait of a probe, as for a lock's end; probes that wait longer are skipped")
	f.StringSliceVar(&o.maySkip, "may-skip", nil, "families or probes whose SKIP does not make the exit code 3")
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
	profile  *profiles.Profile
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
	if o.shortClock && o.stack == "" {
		note(errors.New("--short-clock needs --stack: the clocks of a deployment are its own"))
	}
	if p.probes, err = audit.Select(p.class, o.only); err != nil {
		note(fmt.Errorf("--only: %w", err))
	}
	if _, err := audit.Select(audit.Control, o.maySkip); err != nil {
		note(fmt.Errorf("--may-skip: %w", err))
	}
	p.profile, err = profiles.Open(o.profile)
	note(err)
	if o.url != "" {
		p.url, err = parseURL("--url", o.url)
		note(err)
		if o.metrics != "" {
			p.metrics, err = parseURL("--metrics", o.metrics)
			note(err)
		}
		if o.accounts != "" {
			p.accounts, err = readAccounts(o.accounts)
			note(err)
		}
		if p.url != nil && p.class >= audit.Intrusive && !slices.Contains(o.iOwn, p.url.Hostname()) {
			note(fmt.Errorf("--class %s locks addresses, spends quotas and makes data: name the host with --i-own %s if it is yours", p.class, p.url.Hostname()))
		}
	}
	note(writable(o.out))
	return p, errors.Join(errs...)
}

func runAudit(ctx context.Context, s streams, o auditOptions) error {
	if o.explain != "" {
		words, err := audit.Explain(o.explain)
		if err != nil {
			return &exit{exitUsage, fmt.Errorf("--explain: %w", err)}
		}
		_, err = fmt.Fprint(s.Out, words)
		return err
	}
	p, err := newAuditPlan(o)
	if err != nil {
		return &exit{exitUsage, err}
	}
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
	rep := audit.Run(drain, p.probes, target, audit.Options{
		Owner: owner, Patience: o.patience, Progress: auditTalk(s.Err),
	})
	file := filepath.Join(o.out, "audit.json")
	if err := atomicfile.Write(file, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(rep)
	}); err != nil {
		return &exit{exitNoAnswer, err}
	}
	if err := audit.Print(s.Out, rep); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nTranscripts: %s\n", file)
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
		return &exit{exitInterrupted, nil}
	case rep.Counts.Fail > 0 || len(rep.Violations) > 0:
		return &exit{exitFail, nil}
	case unproved || rep.Counts.Pass == 0:
		return &exit{exitNoAnswer, nil}
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

// shortClock are the settings of a run whose locks last seconds (hardening
// 2.5.5), and the limits that follow from them.
func shortClock() (map[string]string, map[string]profiles.Limit) {
	env := map[string]string{
		"ENV": "test", "RATE_LIMIT_LOCKOUT_DURATION": "6", "RATE_LIMIT_LOGIN_WINDOW": "12", "RATE_LIMIT_API_WINDOW": "12",
		"PASSWORD_RESET_TTL": "20",
	}
	limits := map[string]profiles.Limit{}
	for name, l := range profiles.Clinic().Limits {
		if l.Lock > 0 {
			l.Lock = 6 * time.Second
		}
		if name == "login" || name == "api" {
			l.Window = 12 * time.Second
		}
		limits[name] = l
	}
	return env, limits
}

// auditAccounts is how many accounts the stack under audit is given: each trial
// takes fresh ones.
const auditAccounts = 300

// target is the API under audit, started or found, and who may break one. The
// func, when there is one, is to be called whatever the error.
func (o auditOptions) target(ctx context.Context, p auditPlan, s streams) (*audit.Target, audit.Owner, func(context.Context) error, error) {
	if p.url != nil {
		g, err := o.found(ctx, p)
		return g, nil, nil, err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, nil, nil, noSystem(fmt.Errorf("find this binary, which is also the API: %w", err))
	}
	mails, err := os.MkdirTemp("", "vitals-audit-mail-")
	if err != nil {
		return nil, nil, nil, noSystem(fmt.Errorf("make a folder for mails: %w", err))
	}
	clean := func(context.Context) error { return os.RemoveAll(mails) }
	env := own.Environment(mails)
	limits := map[string]profiles.Limit(nil)
	if o.shortClock {
		short, ls := shortClock()
		maps.Copy(env, short)
		limits = ls
	}
	log := filepath.Join(o.out, "api.log")
	var starter stack.Starter
	if o.stack == "containers" {
		delete(env, "MAIL_SINK") // its disk is read-only, and not ours to read
		starter = containers.Starter{Binary: binary, Images: o.images, Accounts: auditAccounts, Replicas: 2, Env: env, LogFile: log, Talk: s.Err}
	} else {
		starter = stack.Embedded{Binary: binary, Accounts: auditAccounts, LogFile: log, Env: env, Talk: s.Err}
	}
	st, err := starter.Start(ctx)
	if err != nil {
		return nil, nil, clean, noSystem(err)
	}
	g := &audit.Target{
		URL: st.URL, Replicas: st.Replicas, Profile: p.profile, Origin: own.Origin, Own: true, Source: st.Source, Forward: st.Forward,
		Limits: limits, ShortClock: o.shortClock, Settings: env,
	}
	if st.Metrics != nil {
		g.Admin = st.Metrics
	}
	for _, a := range st.Accounts {
		g.Accounts = append(g.Accounts, audit.Account{Email: a.Email, Password: a.Password})
	}
	g.Accounts = append(g.Accounts, audit.Account{Email: own.Admin, Password: st.Accounts[0].Password, Role: "admin"})
	if o.stack == "embedded" {
		g.Mail = own.Mailbox(mails)
		g.Log = func() ([]byte, error) { return os.ReadFile(log) }
	}
	oo := own.Options{Binary: binary, Profile: p.profile}
	if o.stack == "containers" {
		oo.Postgres = images(o.images.Postgres, containers.DefaultPostgres, "vitals/postgres:15")
		oo.Redis = images(o.images.Redis, containers.DefaultRedis, "vitals/redis:7")
	}
	owner := own.New(oo)
	return g, owner, func(ctx context.Context) error {
		return errors.Join(owner.Close(ctx), st.Close(ctx), clean(ctx))
	}, nil
}

// found is a deployment that is already there. Safe probes may go to any host;
// more than that only to one's own.
func (o auditOptions) found(ctx context.Context, p auditPlan) (*audit.Target, error) {
	mine := slices.Contains(o.iOwn, p.url.Hostname())
	st, err := stack.External{
		URL: p.url, Metrics: p.metrics, Accounts: p.accounts, Own: []string{p.url.Hostname()}, // its health is asked, which is safe anywhere
		AllowProduction: o.allowProduction || p.class == audit.Safe, Forward: o.forward, Client: &http.Client{Timeout: 10 * time.Second},
	}.Start(ctx)
	if err != nil {
		if refused, ok := errors.AsType[*stack.NotOwned](err); ok {
			return nil, &exit{exitUsage, refused}
		}
		return nil, noSystem(err)
	}
	g := &audit.Target{
		URL: p.url, Profile: p.profile, Admin: p.metrics, Origin: o.origin, Own: mine && p.class >= audit.Intrusive,
		Source: st.Source, Forward: st.Forward,
	}
	for _, a := range p.accounts {
		g.Accounts = append(g.Accounts, audit.Account{Email: a.Email, Password: a.Password})
	}
	return g, nil
}

// images are the names to try for a part: the one that was asked for alone, else
// the public default and the stand-in built here.
func images(asked string, defaults ...string) []string {
	if asked != "" {
		return []string{asked}
	}
	return defaults
}
