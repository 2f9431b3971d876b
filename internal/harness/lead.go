package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet/rendezvous"
	"vitals/internal/stack"
	"vitals/report"
)

// Engine starts the members of a run: child processes, a Kubernetes Job.
type Engine interface {
	// Start starts every member and returns. ended is told when a member's process
	// has ended, and of how it did, nil when well; it may be told twice. Of Everyone
	// it is told when all of them were taken away.
	Start(ctx context.Context, ended func(member int, err error)) error
	// Stop ends what still runs and removes what Start made. It is called once, also
	// when Start failed, and by a controller that took an earlier one's place.
	Stop(ctx context.Context) error
}

// Everyone is every member of a run.
const Everyone = -1

// Lead is how the members of one run are led from a rendezvous.
type Lead struct {
	Rendezvous       string // file with the Redis URL at which the members meet
	Run              string // identity of the run there
	Members, MaxLost int
	Barrier          time.Duration // how long to wait for all members, default 10 min
	Engine           Engine        // nil = the members are started by other means
}

// RunLed leads a run whose members are elsewhere: it waits until all are ready,
// starts them at one instant, shows and judges the merged figures while the run
// goes on, collects what they measured, and leaves in Options.Out what a run
// leaves, and members/I/document.json. All of its state is at the rendezvous: called
// again with the same run id it goes on with the run. When drain ends, the members
// are told to stop, and what they measured is kept; when kill ends, it returns at once.
func RunLed(drain, kill context.Context, p *Plan, l Lead, s Streams) (doc *report.Document, err error) {
	if p.url == nil {
		return nil, exit.Errorf(exit.Usage, "the members need a deployment that all of them reach: name it with --url")
	}
	release, err := stack.Output(p.o.Out)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }()
	defer p.unmeasured(&doc, &err)
	return l.lead(drain, kill, p, s)
}

// lead is RunLed in a folder that is taken already.
func (l Lead) lead(drain, kill context.Context, p *Plan, s Streams) (*report.Document, error) {
	if len(p.scenarios) != 1 {
		return nil, exit.Errorf(exit.Usage, "a run of several members is of one scenario, %d are named", len(p.scenarios))
	}
	d, err := l.run(drain, kill, p, s)
	if d == nil {
		return nil, err
	}
	d.Command = p.o.Command
	if err := writeMerged(p.o.Out, d); err != nil {
		return d, err
	}
	if err := errors.Join(report.Ended(s.Out, d, p.o.Out), report.InCI(s.Out, d, os.Getenv)); err != nil {
		return d, exit.Errorf(exit.NoAnswer, "print the report: %w", err)
	}
	return d, nil
}

func (l Lead) run(drain, kill context.Context, p *Plan, s Streams) (*report.Document, error) {
	meeting, err := rendezvous.OpenFile(l.Rendezvous, l.Run)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer meeting.Close()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(drain))
	defer cancel(nil)
	defer context.AfterFunc(kill, func() { cancel(nil) })()
	defer context.AfterFunc(drain, func() { _ = l.tell(ctx, meeting, "interrupted at the controller") })()

	c, err := meeting.Control(ctx, p.fleetPlan(l.Members).ID(), l.Members, rendezvous.Watcher{
		Held: func(by string) {
			fmt.Fprintf(s.Err, "run %s has a controller (%s): this one goes on with the run when that has ended, within %s\n", l.Run, by, rendezvous.Lease)
		},
		Fenced: func(f *rendezvous.Fenced) { cancel(f) },
	})
	switch {
	case err != nil && drain.Err() != nil:
		return nil, exit.Errorf(exit.Interrupted, "interrupted before this controller led the run")
	case err != nil:
		if other := (*rendezvous.OtherPlan)(nil); errors.As(err, &other) {
			return nil, exit.With(exit.Usage, err)
		}
		return nil, exit.With(exit.NoSystem, err)
	}
	defer c.Release()
	if err := l.start(ctx, meeting, c, s); err != nil {
		return nil, err
	}
	if l.Engine != nil {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if fenced := (*rendezvous.Fenced)(nil); errors.As(c.Leads(ctx), &fenced) {
				return // the members are another controller's
			}
			if err := l.Engine.Stop(ctx); err != nil {
				fmt.Fprintln(s.Err, "vitals: clean up:", err)
			}
		}()
	}
	told := 0
	began, ready, err := c.Gather(ctx, cmp.Or(l.Barrier, barrier), func(n int) {
		if n > told {
			fmt.Fprintf(s.Err, "%d of %d members are ready\n", n, l.Members)
			told = n
		}
	})
	var fenced *rendezvous.Fenced
	switch {
	case errors.As(err, &fenced):
		return nil, exit.With(exit.NoAnswer, err)
	case drain.Err() != nil && err != nil:
		return nil, exit.Errorf(exit.Interrupted, "interrupted before anything was measured")
	case err != nil:
		return nil, exit.With(exit.NoAnswer, err)
	}
	fmt.Fprintf(s.Err, "the members begin at %s\n", began.Format("15:04:05.000"))
	w := newWatcher(p, meeting, c, l.Members, ready, s)
	watching, done := context.WithCancel(ctx)
	defer done()
	go w.run(watching)
	lost, err := c.Follow(ctx, l.MaxLost, w.status)
	done()
	w.done()
	switch {
	case errors.As(context.Cause(ctx), &fenced):
		return nil, exit.With(exit.NoAnswer, fenced)
	case kill.Err() != nil:
		return nil, exit.Errorf(exit.Interrupted, "stopped at once: the members stop within %s by themselves, and what they measured is at the rendezvous for a day", rendezvous.Lease)
	case err != nil:
		return nil, exit.Errorf(exit.NoAnswer, "the rendezvous was lost (the same command goes on with run %s when it is back): %w", l.Run, err)
	}
	return l.judge(ctx, drain, c, lost, w, p.o.Out)
}

// start starts the members, unless an earlier controller did.
func (l Lead) start(ctx context.Context, meeting *rendezvous.Meeting, c *rendezvous.Controller, s Streams) error {
	before, err := meeting.Status(ctx)
	switch {
	case err != nil:
		return exit.With(exit.NoSystem, err)
	case !before.Began.IsZero():
		fmt.Fprintf(s.Err, "run %s began at %s: going on with it\n", l.Run, before.Began.Format(time.DateTime))
		return nil
	case l.Engine == nil:
		fmt.Fprintf(s.Err, "run %s waits for %d members: vitals run … --member I/%d --rendezvous-file FILE --run-id %s\n", l.Run, l.Members, l.Members, l.Run)
		return nil
	}
	fmt.Fprintf(s.Err, "run %s: starting %d members\n", l.Run, l.Members)
	err = l.Engine.Start(ctx, func(i int, ended error) {
		if i == Everyone { // what they have measured they still hand over, if they can
			_ = l.tell(ctx, meeting, ended.Error())
			return
		}
		if now, err := meeting.Status(ctx); ended != nil && err == nil && now.Began.IsZero() {
			_ = l.tell(ctx, meeting, fmt.Sprintf("member %d ended before the start: %v", i, ended))
		}
		c.Ended(i)
	})
	if err != nil {
		stop, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return exit.With(exit.NoSystem, errors.Join(err, l.Engine.Stop(stop)))
	}
	return nil
}

func (l Lead) tell(ctx context.Context, meeting *rendezvous.Meeting, why string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return meeting.Abort(ctx, why)
}

// keepDocument writes a member's document as it came, and reads it.
func keepDocument(text []byte, i int, out string) (*report.Document, error) {
	dir := filepath.Join(out, "members", strconv.Itoa(i))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("keep the document of member %d: %w", i, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "document.json"), text, 0o644); err != nil {
		return nil, fmt.Errorf("keep the document of member %d: %w", i, err)
	}
	d, err := report.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("document of member %d: %w", i, err)
	}
	return d, nil
}

// judge takes every document that was handed over, one after the other, keeps it as
// it came and adds it up, and says what the end of the run makes of the sum.
func (l Lead) judge(ctx, drain context.Context, c *rendezvous.Controller, lost []int, w *watcher, out string) (*report.Document, error) {
	var sum merger
	var end runEnd
	aborted := w.aborted()
	for i := range l.Members {
		text, err := c.Document(ctx, i)
		if err != nil {
			return nil, exit.With(exit.NoAnswer, err)
		}
		if text == nil {
			continue
		}
		d, err := keepDocument(text, i, out)
		if err == nil {
			err = sum.add(d)
		}
		if err != nil {
			return nil, exit.With(exit.NoAnswer, err)
		}
		if drain.Err() == nil && slices.Contains(lost, i) {
			end.left = append(end.left, i)
		}
		for _, r := range d.Runs { // on its own: without a controller to be seen
			if aborted == "" && len(lost) <= l.MaxLost && r.Result.Partial && strings.Contains(r.Result.EndedEarly, rendezvous.NoController) {
				end.invalid = append(end.invalid, fmt.Sprintf("member %d stopped before its end: %s", i, r.Result.EndedEarly))
			}
		}
	}
	if sum.n == 0 {
		return nil, exit.Errorf(exit.NoAnswer, "no member left a result: lost %v, stopped by %q", lost, aborted)
	}
	if note, ruled := strings.CutPrefix(aborted, abortRule); ruled {
		end.rule, end.note = w.rule(note), note
	} else if aborted != "" && drain.Err() == nil {
		end.invalid = append(end.invalid, "stopped before its end: "+aborted)
	}
	d, err := sum.document(l.Members, end)
	if err != nil {
		return nil, exit.With(exit.NoAnswer, err)
	}
	if drain.Err() != nil {
		d.Partial, d.Exit = true, exit.Interrupted
	}
	return d, nil
}
