package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"vitals/report"
)

// localEngine starts the members as child processes that meet at a rendezvous.
// They outlive this process, should it be killed, so that another controller can
// take its place.
type localEngine struct {
	f    *localFleet
	lead Lead
	kill context.Context // ends the members at once
	all  sync.WaitGroup
}

// led runs the members of f from a rendezvous.
func (f *localFleet) led(drain, kill context.Context, l Lead, s Streams) (*report.Document, error) {
	p := *f.p
	p.url, p.o.URL = f.st.URL, f.st.URL.String() // the plan's, as the members are given it
	l.Engine = &localEngine{f: f, lead: l, kill: kill}
	return l.lead(drain, kill, &p, s)
}

// Start starts every member, each with a log of its own: one that spoke into a
// pipe would end with us.
func (e *localEngine) Start(_ context.Context, ended func(member int, err error)) error {
	for i := range e.f.members {
		dir := e.f.dir(i)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("start member %d: %w", i, err)
		}
		talk, err := os.Create(filepath.Join(dir, "member.log"))
		if err != nil {
			return fmt.Errorf("start member %d: %w", i, err)
		}
		cmd := exec.CommandContext(e.kill, e.f.p.o.Binary, e.f.args(i, "--rendezvous-file", e.lead.Rendezvous, "--run-id", e.lead.Run)...)
		cmd.Stdout, cmd.Stderr = talk, talk
		err = cmd.Start()
		_ = talk.Close() // the child has its own
		if err != nil {
			return fmt.Errorf("start member %d: %w", i, err)
		}
		e.all.Go(func() {
			err := cmd.Wait()
			if err != nil {
				err = fmt.Errorf("%w (see %s)", err, talk.Name())
			}
			ended(i, err)
		})
	}
	return nil
}

// Stop waits for the members, which end when their run has.
func (e *localEngine) Stop(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		e.all.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("members still run; each ends when it sees no controller")
	}
}
