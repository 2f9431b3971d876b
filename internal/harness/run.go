package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vitals/internal/exit"
	"vitals/internal/export"
	"vitals/internal/machine"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/internal/stack/local"
	"vitals/report"
)

// Run starts the system of a plan, puts it under each scenario, judges them, and
// leaves the document and the baseline in Options.Out. Repeated, it does so again
// from a fresh start, and the document holds the runs of all. When drain ends,
// what is under way is brought to its end and kept; when kill ends, it stops at
// once. The document is nil when nothing was measured; an error is an *exit.Error.
func Run(drain, kill context.Context, p *Plan, s Streams) (doc *report.Document, err error) {
	if p.member != nil { // before anybody signs in for nothing
		if err := p.member.late(); err != nil {
			return nil, memberError(err)
		}
		defer func() { p.member.leave() }()
	}
	release, err := stack.Output(p.o.Out)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // a lock that stays is no one's, and is taken by the next run
	defer p.unmeasured(&doc, &err)
	if _, err := os.Stat(filepath.Join(p.o.Out, "document.json")); err == nil && !p.o.Quiet {
		fmt.Fprintf(s.Err, "%s holds an earlier run, whose files this one replaces (--out names another folder)\n", p.o.Out)
	}
	shown, err := export.Start(drain, export.Options{
		Live: p.o.Live, Metrics: p.o.ServeMetrics, OTLP: p.o.OTLP, Version: p.o.Tool, RunID: p.o.RunID,
	})
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer func() {
		if err := shown.End(drain, doc); err != nil {
			fmt.Fprintln(s.Err, "vitals:", err)
		}
	}()
	for _, where := range shown.Addresses() {
		fmt.Fprintln(s.Err, where)
	}
	n := max(1, p.o.Repeat)
	for i := range n {
		again := *p
		again.o.Seed += uint64(i)
		if doc, err = replicate(drain, kill, &again, s, doc, shown, i == n-1); err != nil || drain.Err() != nil {
			break
		}
	}
	return doc, err
}

// replicate is one start of the stack and one run of every scenario, added to
// the document of the earlier ones.
func replicate(drain, kill context.Context, p *Plan, s Streams, doc *report.Document, shown *export.Exporter, last bool) (*report.Document, error) {
	st, err := p.starter(s).Start(drain)
	if err != nil {
		return doc, startError(drain, err)
	}
	defer closeStack(st, s) // on a panic as well
	ses := newSession(s, p, st, shown)
	ses.last = last
	if doc != nil {
		ses.doc = doc
	}
	return ses.run(drain, kill)
}

// unmeasured leaves the document of a run that ended before its first result, so that
// an earlier run's is not taken for this one's. A run that was refused did not begin. A
// member leaves none: nobody could merge it.
func (p *Plan) unmeasured(doc **report.Document, err *error) {
	if *doc != nil || *err == nil || exit.Code(*err) == exit.Usage {
		return
	}
	if p.member != nil {
		*err = errors.Join(*err, forget(p.o.Out, "document.json", "report.html", "baseline.json"))
		return
	}
	d := &report.Document{
		Schema: report.Schema, Tool: p.o.Tool, Created: time.Now().UTC(), Command: p.o.Command, Note: p.o.Note,
		Stack: report.Stack{Kind: p.o.Stack}, Machine: report.Machine(machine.Read()),
		Runs: []report.Run{},
	}
	if p.url != nil {
		d.Stack = report.Stack{Kind: "url", URL: p.url.Redacted()}
	}
	d.Verdict, d.Reasons, d.Exit, d.Partial = conclude(nil, sessionEnd{err: *err})
	*err = errors.Join(*err, leave(p.o.Out, d, false)) // with the code of the first
}

// forget removes files of an earlier run.
func forget(dir string, names ...string) error {
	var errs []error
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// errInterrupted is the end of a run that was stopped before its first result.
var errInterrupted = exit.Errorf(exit.Interrupted, "interrupted before anything was measured")

// startError gives a stack that did not start its exit code.
func startError(ctx context.Context, err error) error {
	var refused *stack.NotOwned
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case errors.As(err, &refused):
		return exit.With(exit.Usage, err)
	}
	return exit.With(exit.NoSystem, err)
}

func closeStack(st *stack.Stack, s Streams) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := st.Close(ctx); err != nil {
		fmt.Fprintln(s.Err, "vitals: clean up:", err)
	}
}

// starter makes the stack that the options ask for.
func (p *Plan) starter(s Streams) stack.Starter {
	o := &p.o
	log := filepath.Join(o.Out, "api.log")
	n := p.accountsNeeded()
	switch {
	case p.url != nil:
		return stack.External{
			URL: p.url, Metrics: p.metrics, Names: p.names(), Cores: o.Cores, Accounts: p.accounts, Own: o.Own,
			AllowProduction: o.AllowProduction, Health: HealthRequest(p.profile, p.url), Forward: o.Forward, Client: PageClient(p.tls),
		}
	case o.Stack == "containers":
		return containers.Starter{Binary: o.Binary, Images: o.Images, Accounts: n, Replicas: o.Replicas, CPUs: o.CPUs, Env: p.set, LogFile: log, Talk: s.Err}
	}
	return local.Embedded{Binary: o.Binary, Accounts: n, LogFile: log, Env: p.set, Talk: s.Err}
}
