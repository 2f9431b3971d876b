package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vitals/internal/audit"
	"vitals/internal/exit"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/stack/audited"
	"vitals/internal/stack/containers"
	"vitals/internal/stack/local"
)

// shortClock are the settings of a run whose locks and timeouts last seconds, and the limits that follow from them.
func shortClock() (map[string]string, map[string]profile.Limit) {
	env := map[string]string{
		"ENV": "test", "RATE_LIMIT_LOCKOUT_DURATION": "6", "RATE_LIMIT_LOGIN_WINDOW": "12", "RATE_LIMIT_API_WINDOW": "12",
		"PASSWORD_RESET_TTL": "20", "READ_HEADER_TIMEOUT": "3", "READ_TIMEOUT": "6",
	}
	limits := map[string]profile.Limit{}
	for name, l := range profile.Clinic().Limits {
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
		return nil, nil, nil, exit.Errorf(exit.NoSystem, "find this binary, which is also the API: %w", err)
	}
	outer, err := os.MkdirTemp("", "vitals-audit-mail-") // ours alone to enter
	if err != nil {
		return nil, nil, nil, exit.Errorf(exit.NoSystem, "make a folder for mails: %w", err)
	}
	clean := func(context.Context) error { return os.RemoveAll(outer) }
	mails := filepath.Join(outer, "mail")
	if err := errors.Join(os.Mkdir(mails, 0o700), os.Chmod(mails, 0o777)); err != nil { // the API may be another user
		return nil, nil, clean, exit.Errorf(exit.NoSystem, "make a folder for mails: %w", err)
	}
	env := audited.Environment(mails)
	limits := map[string]profile.Limit(nil)
	if o.shortClock {
		short, ls := shortClock()
		maps.Copy(env, short)
		limits = ls
	}
	log := filepath.Join(o.out, "api.log")
	var starter stack.Starter
	if o.stack == "containers" {
		delete(env, "MAIL_SINK") // it has a place of its own in the containers
		starter = containers.Starter{Binary: binary, Images: o.images, Accounts: auditAccounts, Replicas: 2, Env: env, LogFile: log, Mail: mails, Talk: s.Err}
	} else {
		starter = local.Embedded{Binary: binary, Accounts: auditAccounts, LogFile: log, Env: env, Talk: s.Err}
	}
	st, err := starter.Start(ctx)
	if err != nil {
		return nil, nil, clean, exit.With(exit.NoSystem, err)
	}
	g := &audit.Target{
		URL: st.URL, Replicas: st.Replicas, Profile: p.profile, Origin: audited.Origin, Own: true, Source: st.Source, Forward: st.Forward,
		Limits: limits, ShortClock: o.shortClock, Settings: env,
	}
	if st.Metrics != nil {
		g.Admin = st.Metrics
	}
	for _, a := range st.Accounts {
		g.Accounts = append(g.Accounts, audit.Account{Email: a.Email, Password: a.Password})
	}
	g.Accounts = append(g.Accounts, audit.Account{Email: audited.Admin, Password: st.Accounts[0].Password, Role: "admin"})
	g.Mail = stack.Mailbox(mails)
	g.Log = func() ([]byte, error) { return os.ReadFile(log) }
	if st.ReadLog != nil {
		g.Log = func() ([]byte, error) { return st.ReadLog(ctx) }
	}
	oo := audited.Options{Binary: binary, Profile: p.profile}
	if o.stack == "containers" {
		oo.Containers = &o.images
	}
	owner := audited.NewOwner(oo)
	return g, owner, func(ctx context.Context) error {
		return errors.Join(owner.Close(ctx), st.Close(ctx), clean(ctx))
	}, nil
}

// found is a deployment that is already there. Safe probes may go to any host;
// more than that only to one's audited.
func (o auditOptions) found(ctx context.Context, p auditPlan) (*audit.Target, error) {
	mine := slices.Contains(o.iOwn, p.url.Hostname())
	st, err := stack.External{
		URL: p.url, Metrics: p.metrics, Accounts: p.accounts, Own: []string{p.url.Hostname()}, // its health is asked, which is safe anywhere
		AllowProduction: o.allowProduction || p.class == audit.Safe, Forward: o.forward, Client: &http.Client{Timeout: 10 * time.Second},
	}.Start(ctx)
	if err != nil {
		if refused, ok := errors.AsType[*stack.NotOwned](err); ok {
			return nil, exit.With(exit.Usage, refused)
		}
		return nil, exit.With(exit.NoSystem, err)
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
