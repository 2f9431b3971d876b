package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/exit"
	"vitals/internal/export"
	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/machine"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/scenarios"
)

// session is one `vitals run`: scenarios one after the other against one stack,
// the document growing with each.
type session struct {
	s        Streams
	p        *Plan
	st       *stack.Stack
	doc      *report.Document
	address  uint64         // the first client address: honest users' are next to it
	pool     pool           // for attacks
	sessions *load.Sessions // honest accounts, signed in once and kept between scenarios
	live     *report.Live
	shown    *export.Exporter
	monitor  *limitMonitor // of the server's limits, over all scenarios
	last     bool          // no replicate comes after
	kept     string        // the folder that has the document; "" = none
}

func newSession(s Streams, p *Plan, st *stack.Stack, shown *export.Exporter) *session {
	first := stack.FirstAddress(time.Now())
	ses := &session{s: s, p: p, st: st, shown: shown, address: first, pool: pool{address: first + neighbours}, monitor: newLimitMonitor(st, p.api())}
	ses.monitor.watch(st)
	accounts, victims := divide(st.Accounts, p, st)
	for i, a := range victims {
		if v := intruders.Victim(a); i < p.victimsNeeded(len(st.Replicas)) {
			ses.pool.victims = append(ses.pool.victims, v)
		} else {
			ses.pool.spares = append(ses.pool.spares, v)
		}
	}
	if p.member != nil {
		accounts, ses.pool.spares = p.member.accounts(accounts), nil // no two members may take the same
	}
	ses.sessions = load.NewSessions(honest(accounts))
	ses.live = report.NewLive(s.Err, func() report.Style { return report.StyleOf(s.Err, os.Getenv) }, 0)
	ses.doc = &report.Document{
		Schema: report.Schema, Tool: p.o.Tool, Created: time.Now().UTC(), Command: p.o.Command, Note: p.o.Note,
		Stack:   report.Stack{Kind: st.Kind, URL: st.URL.Redacted(), Images: st.Images, Info: st.Info},
		Machine: report.Machine(machine.Read()), Deviations: st.Deviations, Limits: limits(st.Settings),
	}
	if p.o.Repeat > 1 {
		ses.doc.Repeat = p.o.Repeat
	}
	if st.Kind != "url" {
		ses.doc.Subject = subject(p.o.Binary, st)
	}
	return ses
}

// honest are the accounts that honest users sign in as.
func honest(accounts []stack.Account) []load.Account {
	out := make([]load.Account, len(accounts))
	for i, a := range accounts {
		out[i] = load.Account(a)
	}
	return out
}

// run takes each scenario in turn, saves the document after each, prints the
// report of the last replicate and gives the document, which has the verdict and
// the exit code. The document says that it is partial until the last scenario is
// done.
func (ses *session) run(drain, kill context.Context) (*report.Document, error) {
	var err error
	left := ses.p.scenarios
	_ = ses.disown(left)   // a folder that cannot be written into shows when there is a result
	var tries []report.Try // of the scenario at hand, that do not count
	probe(ses.doc)
	for len(left) > 0 && drain.Err() == nil && err == nil {
		var run *report.Run
		if run, err = ses.scenario(drain, kill, left[0]); run != nil {
			if err == nil && drain.Err() == nil && ses.again(run, tries) {
				ses.say(left[0].Name + " is invalid by the machine or the generator: tried again by itself")
				tries = append(tries, try(run))
				ses.pool.refill(ses.p.victimsOf(left, len(ses.st.Replicas)))
				ses.monitor.begun()
				continue
			}
			told(run, tries)
			tries = nil
			ses.doc.Runs = append(ses.doc.Runs, *run)
			left = left[1:]
			probe(ses.doc)
		}
		end := sessionEnd{interrupted: drain.Err() != nil, err: err}
		for _, sc := range left {
			end.left = append(end.left, sc.Name)
		}
		if !ses.last && len(left) == 0 {
			end.left = []string{"what is repeated"}
		}
		if d := ses.doc; ses.p.member != nil {
			ses.p.member.conclude(d)
		} else {
			d.Verdict, d.Reasons, d.Exit, d.Partial = conclude(d.Runs, end)
		}
		if len(end.left) == 0 && err == nil && drain.Err() == nil {
			ses.compare(drain)
		}
		if len(ses.doc.Runs) > 0 {
			err = ses.save(err)
		}
	}
	ses.live.Done()
	if len(ses.doc.Runs) == 0 {
		if err == nil || exit.Code(err) == exit.Interrupted {
			err = errInterrupted
		}
		return nil, err
	}
	if !ses.last && err == nil && drain.Err() == nil {
		return ses.doc, nil
	}
	// What was measured is shown in any case.
	// A reader who has gone away is no reason for another verdict, nor is one who has no
	// room: the document and the exit code say the same.
	if printErr := ses.print(); printErr != nil && !errors.Is(printErr, syscall.EPIPE) {
		fmt.Fprintf(ses.s.Err, "vitals: print the report: %v; it is kept in %s\n", printErr, cmp.Or(ses.kept, "no folder"))
	}
	if m := ses.p.member; m != nil && err == nil {
		if err := m.deliver(drain, ses.doc); err != nil {
			return ses.doc, exit.With(exit.NoAnswer, err)
		}
	}
	return ses.doc, err
}

// disown replaces what an earlier run has left in the folder by a document that says that
// this one has not ended: whoever is killed leaves no other, and the earlier verdict is not
// this run's.
func (ses *session) disown(left []*scenarios.Scenario) error {
	if _, err := os.Stat(filepath.Join(ses.p.o.Out, "document.json")); err != nil || len(ses.doc.Runs) > 0 {
		return nil
	}
	if ses.p.member != nil {
		return forget(ses.p.o.Out, "document.json", "report.html", "baseline.json")
	}
	end := sessionEnd{}
	for _, sc := range left {
		end.left = append(end.left, sc.Name)
	}
	d := *ses.doc
	d.Runs = []report.Run{}
	d.Verdict, d.Reasons, d.Exit, d.Partial = conclude(nil, end)
	return leave(ses.p.o.Out, &d, false)
}

// print shows the document to whoever waits: a person, and the CI server around us.
func (ses *session) print() error {
	var err error
	if ses.p.o.Verbose {
		err = report.Verbose(ses.s.Out, ses.doc)
	} else {
		err = report.Ended(ses.s.Out, ses.doc, ses.kept)
	}
	return errors.Join(err, report.InCI(ses.s.Out, ses.doc, os.Getenv))
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
// unwritable, they go to the temporary folder: nothing measured is lost, but it is not
// where it was asked for, which is an error beside that of the run itself. The exit code
// in the document is the one that comes of it.
func (ses *session) save(run error) error {
	err := ses.write(ses.p.o.Out)
	if err == nil {
		ses.kept = ses.p.o.Out
		return run
	}
	ses.kept = ""
	if run == nil {
		ses.doc.Exit = exit.NoAnswer
		ses.doc.Reasons = append(ses.doc.Reasons, "the files could not be written into "+ses.p.o.Out)
	}
	spare, mkErr := os.MkdirTemp("", "vitals-out-")
	if mkErr == nil && ses.write(spare) == nil {
		ses.kept = spare
		return errors.Join(run, exit.Errorf(exit.NoAnswer, "%w; what was measured is kept in %s instead", err, spare))
	}
	return errors.Join(run, exit.Errorf(exit.NoAnswer, "%w; nor is there room in the temporary folder, so the report above is all there is", err))
}

func (ses *session) write(dir string) error {
	return leave(dir, ses.doc, ses.p.member == nil) // a share is no baseline
}

// leave writes a document, its page and, when it makes one, its baseline. That of an
// earlier run would pass for this one's, and goes.
func leave(dir string, d *report.Document, baselined bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // it may have been removed while the run went on
		return err
	}
	if err := report.WriteAll(dir, d); err != nil {
		return err
	}
	if baselined {
		return baseline.Write(filepath.Join(dir, "baseline.json"), Baseline(d))
	}
	return forget(dir, "baseline.json")
}

// runError gives a run that could not begin its exit code.
func runError(ctx context.Context, err error) error {
	if err := memberError(err); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return exit.Errorf(exit.Interrupted, "interrupted")
	}
	return exit.With(exit.NoSystem, err)
}
