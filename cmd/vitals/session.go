package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/scenarios"
	"vitals/targets"
)

// session is one `vitals run`: scenarios one after the other against one stack,
// the document growing with each.
type session struct {
	s        streams
	o        runOptions
	p        plan
	st       *stack.Stack
	doc      *report.Document
	victims  []intruders.Victim // accounts taken from the back, each attacked once
	sessions *load.Sessions     // honest accounts, signed in once and kept between scenarios
	live     *report.Live
	address  uint64 // next client address for intruders
	past     *past  // of the server's limits, over all scenarios
}

// intruderAddresses begin here, far above any honest user's.
const intruderAddresses = 1 << 16

func newSession(s streams, o runOptions, p plan, st *stack.Stack, binary string) *session {
	ses := &session{s: s, o: o, p: p, st: st, address: intruderAddresses, past: newPast(st, p.api())}
	ses.past.watch(st)
	accounts := st.Accounts
	for _, sc := range p.scenarios {
		for range intruders.Victims(sc.Intruder) + assailants(p.faults, len(st.Replicas)) {
			if n := len(accounts) - 1; n > 0 {
				ses.victims = append(ses.victims, intruders.Victim(accounts[n]))
				accounts = accounts[:n]
			}
		}
	}
	ses.sessions = load.NewSessions(honest(accounts))
	ses.live = report.NewLive(s.Err, report.StyleOf(s.Err, os.Getenv), 0)
	ses.doc = &report.Document{
		Schema: report.Schema, Tool: tool(), Created: time.Now().UTC(), Command: os.Args,
		Stack:   report.Stack{Kind: st.Kind, URL: st.URL.Redacted(), Images: st.Images, Info: st.Info},
		Machine: machine(), Deviations: st.Deviations, Limits: limits(st.Settings),
	}
	if st.Kind != "url" {
		ses.doc.Subject = subject(binary)
	}
	return ses
}

// run takes each scenario in turn, saves the document after each, prints the
// report and returns the session's exit.
func (ses *session) run(drain, kill context.Context) error {
	for _, sc := range ses.p.scenarios {
		if drain.Err() != nil {
			break
		}
		run, err := ses.scenario(drain, kill, sc)
		if run != nil {
			ses.doc.Runs = append(ses.doc.Runs, *run)
		}
		ses.conclude(drain.Err() != nil)
		if saveErr := ses.save(); saveErr != nil {
			err = errors.Join(err, saveErr)
		}
		if err != nil {
			ses.live.Done()
			if len(ses.doc.Runs) > 0 {
				_ = report.Ended(ses.s.Out, ses.doc, ses.o.out) // what was measured is shown in any case
			}
			return err
		}
	}
	ses.live.Done()
	if len(ses.doc.Runs) == 0 {
		return &exit{exitInterrupted, errors.New("interrupted before anything was measured")}
	}
	if err := report.Ended(ses.s.Out, ses.doc, ses.o.out); err != nil {
		return &exit{exitNoAnswer, fmt.Errorf("print the report: %w", err)}
	}
	if ses.doc.Exit != exitPass {
		return &exit{ses.doc.Exit, nil}
	}
	return nil
}

// scenario runs one scenario and judges it.
func (ses *session) scenario(drain, kill context.Context, sc *scenarios.Scenario) (*report.Run, error) {
	before := ses.evidence(drain)
	shape := sc.At(ses.o.pace)
	steps := load.Steps(sc)
	spare := recoveryAllowed(slices.Concat(ses.p.targets, sc.Targets), sc.Name)
	phases := withFaults(shape.Phases(), ses.p.faults, spare)
	o := &outing{
		session: ses, drain: drain, sc: sc, shape: shape, base: len(steps), hostile: hostileSteps(sc, ses.p.faults), spare: spare,
	}
	o.rec = measure.NewRecorder(append(steps, o.hostile...), phases, measure.Options{})
	beside := []companion{o.watched(), o.attacked(), o.faulted(), o.reconciled(), o.remembered()} // the last two have the last word
	opt := load.Options{
		Base: ses.st.URL, Replicas: ses.st.Replicas, Sessions: ses.sessions, Pace: ses.o.pace, Seed: ses.o.seed,
		Source: homes(ses.st.Source), Forward: ses.st.Forward,
		Abort: abort(sc), Kill: kill, MaxLag: maxLag(slices.Concat(ses.p.targets, sc.Targets)),
		SigningIn: ses.signingIn,
		Live:      func(s measure.Snapshot) { ses.show(sc, shape, s) },
	}
	for _, c := range beside {
		if c.before != nil {
			c.before(&opt)
		}
		if c.beside != nil {
			opt.Beside = append(opt.Beside, c.beside)
		}
	}
	out, err := load.Run(drain, sc, o.rec, opt)
	if err != nil {
		return nil, runError(drain, err)
	}
	res := result(sc, ses.o, out, o.rec.Finish())
	run := &report.Run{Result: res, Evidence: diff(before, ses.evidence(context.WithoutCancel(drain)))}
	res.Notes = append(res.Notes, ses.notes(sc, shape)...)
	for _, c := range beside {
		c.after(run)
	}
	run.Verdicts = targets.Judge(slices.Concat(ses.p.targets, sc.Targets), res)
	run.Verdict = verdict(run)
	return run, nil
}

// evidence reads what stands behind the API; a failure leaves none.
func (ses *session) evidence(ctx context.Context) map[string]float64 {
	if ses.st.Evidence == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e, err := ses.st.Evidence(ctx)
	if err != nil && ctx.Err() == nil {
		ses.say(fmt.Sprintf("evidence from behind the API could not be read: %v", err))
	}
	return e
}

func diff(before, after map[string]float64) []report.Evidence {
	var out []report.Evidence
	for _, name := range slices.Sorted(maps.Keys(after)) {
		out = append(out, report.Evidence{Name: name, Before: before[name], After: after[name]})
	}
	return out
}

// save writes the document and the baseline; should the folder have become
// unwritable, they go to the temporary folder: nothing measured is lost.
func (ses *session) save() error {
	err := ses.write(ses.o.out)
	if err == nil {
		return nil
	}
	spare, mkErr := os.MkdirTemp("", "vitals-out-")
	if mkErr == nil && ses.write(spare) == nil {
		return &exit{exitNoAnswer, fmt.Errorf("%w; what was measured is kept in %s instead", err, spare)}
	}
	return &exit{exitNoAnswer, fmt.Errorf("%w; nor is there room in the temporary folder, so the report below is all there is", err)}
}

func (ses *session) write(dir string) error {
	if err := report.Write(filepath.Join(dir, "document.json"), ses.doc); err != nil {
		return err
	}
	return baseline.Write(filepath.Join(dir, "baseline.json"), keepsake(ses.doc, ses.st))
}

// runError gives a run that could not begin its exit code.
func runError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exit{exitInterrupted, errors.New("interrupted")}
	}
	return noSystem(err)
}
