package audited

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"vitals/internal/audit"
	"vitals/internal/stack"
	"vitals/internal/stack/local"
)

// launched is one API with its stores, and what ends with it.
type launched struct {
	n        int
	dir      string
	env      map[string]string
	replicas []*local.Replica
	parts    map[string]part
	closers  []func(context.Context) error
}

// part is a store that can be broken.
type part interface {
	Act(ctx context.Context, a stack.Action) error
}

// seeded is how many accounts a launch has that asks for no number.
const seeded = 60

// Launch starts an API as l says, with the stores it needs.
func (o *Owner) Launch(ctx context.Context, l audit.Launch) (_ *audit.API, err error) {
	dir, n, err := o.place()
	if err != nil {
		return nil, err
	}
	a := &launched{n: n, dir: dir, env: local.Environment(dir), parts: map[string]part{}}
	a.closers = append(a.closers, func(context.Context) error { return os.RemoveAll(dir) })
	defer func() {
		if missing, ok := errors.AsType[*local.Missing](err); ok {
			err = &audit.Missing{What: missing.What, Install: missing.Install}
		}
		if err != nil {
			err = errors.Join(err, a.close(context.WithoutCancel(ctx)))
		}
	}()
	mails := filepath.Join(dir, "mail")
	if err := os.Mkdir(mails, 0o755); err != nil {
		return nil, err
	}
	maps.Copy(a.env, Environment(mails))
	maps.Copy(a.env, o.o.Env)
	api := &audit.API{Patience: patience}
	if l.Postgres {
		if err := o.postgres(ctx, a, api, l.Breaks); err != nil {
			return nil, err
		}
	}
	if l.Redis {
		if err := o.redis(ctx, a, api); err != nil {
			return nil, err
		}
	}
	for name, value := range l.Env {
		if a.env[name] = value; value == "" {
			delete(a.env, name)
		}
	}
	password := rand.Text()
	made := make([]stack.Account, 0)
	if !l.Bare {
		if made, err = local.Seed(ctx, o.o.Binary, a.env, cmp.Or(l.Accounts, seeded), password); err != nil {
			return nil, err
		}
	}
	if err := a.start(ctx, local.API{Binary: o.o.Binary, Dir: dir, Args: l.Args, CPUs: l.CPUs, Env: a.env}, max(1, l.Replicas)); err != nil {
		return nil, err
	}
	a.describe(api)
	g := api.Target
	g.Profile, g.Mail, g.Limits, g.Accounts = o.o.Profile, stack.Mailbox(mails), o.o.Profile.InForce(a.env), accounts(made, password)
	return api, nil
}

// patience is how long a start may take on a machine that has other work as well.
const patience = 40 * time.Second

// start starts the replicas one after the other: the first migrates.
func (a *launched) start(ctx context.Context, api local.API, n int) error {
	for i := range n {
		r, err := api.Start(ctx, i+1)
		if err != nil {
			return err
		}
		a.replicas = append(a.replicas, r)
	}
	return nil
}

// describe tells the audit what can be done to the API.
func (a *launched) describe(api *audit.API) {
	g := &audit.Target{Origin: Origin, Own: true, Source: source, Settings: a.env}
	for _, r := range a.replicas {
		g.Replicas = append(g.Replicas, r.URL)
		g.Admins = append(g.Admins, r.Metrics)
	}
	g.URL, g.Admin = g.Replicas[0], g.Admins[0]
	g.Log = func() ([]byte, error) { return a.logs(), nil }
	api.Target, api.Log = g, a.logs
	if first := a.replicas[0].Process(); first.Ended() {
		api.Exited, api.Code = true, first.Code()
	}
	if len(a.parts) > 0 {
		api.Fault = func(ctx context.Context, name, action string) error {
			p, ok := a.parts[name]
			if !ok {
				return fmt.Errorf("no part %q in this launch", name)
			}
			return p.Act(ctx, stack.Action(action))
		}
	}
	api.PIDs = func() []int {
		var out []int
		for _, r := range a.replicas {
			out = append(out, r.Process().PID())
		}
		return out
	}
	api.Stop = func(ctx context.Context, n int) int {
		return a.replicas[n].Process().End(ctx, syscall.SIGTERM, 30*time.Second)
	}
	api.Restart = func(ctx context.Context, n int) error {
		a.replicas[n].Process().End(ctx, syscall.SIGKILL, time.Second)
		return a.replicas[n].Start(ctx)
	}
	api.Close = a.close
}

// logs is the output of all replicas.
func (a *launched) logs() []byte {
	var out []byte
	for _, r := range a.replicas {
		b, _ := os.ReadFile(r.Log) // no log yet is none
		out = append(out, b...)
	}
	return out
}

func (a *launched) close(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, r := range a.replicas {
		wg.Go(func() { _ = r.Close(ctx) }) // it gives no error
	}
	wg.Wait()
	var errs []error
	for _, c := range slices.Backward(a.closers) {
		errs = append(errs, c(ctx))
	}
	a.closers = nil
	return errors.Join(errs...)
}
