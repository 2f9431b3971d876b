package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet/rendezvous"
)

// FleetStatus prints how a run stands at the rendezvous whose URL the file holds.
// Errors carry an exit code.
func FleetStatus(ctx context.Context, w io.Writer, file, run string) error {
	return atRendezvous(ctx, file, run, func(ctx context.Context, m *rendezvous.Meeting) error {
		st, err := m.Status(ctx)
		if err == nil {
			fmt.Fprintf(w, "%s: %s\n", run, st)
		}
		return err
	})
}

// FleetAbort tells every member of a run to stop, and why. Errors carry an exit code.
func FleetAbort(ctx context.Context, w io.Writer, file, run, reason string) error {
	return atRendezvous(ctx, file, run, func(ctx context.Context, m *rendezvous.Meeting) error {
		st, err := m.Status(ctx)
		if err == nil && !st.Began.IsZero() && st.Finished == st.Ready { // one that is only silent may still send
			return &endedRun{run}
		}
		if err == nil {
			err = m.Abort(ctx, reason)
		}
		if err == nil {
			fmt.Fprintln(w, run+": every member was told to stop")
		}
		return err
	})
}

// atRendezvous asks about a run that is known there: an abort of another would wait for
// a later run of that name.
func atRendezvous(ctx context.Context, file, run string, ask func(context.Context, *rendezvous.Meeting) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	m, err := rendezvous.OpenFile(file, run)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer m.Close()
	if err = m.Look(ctx); err == nil {
		err = ask(ctx, m)
	}
	var unknown *rendezvous.Unknown
	var ended *endedRun
	if errors.As(err, &unknown) || errors.As(err, &ended) {
		return exit.With(exit.Usage, err)
	}
	return exit.With(exit.NoSystem, err)
}

// endedRun is a run that has ended: an abort would be taken for its end when its result is
// collected again.
type endedRun struct{ run string }

func (o *endedRun) Error() string { return "run " + o.run + " has ended: there is nobody to stop" }
