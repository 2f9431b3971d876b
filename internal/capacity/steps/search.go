package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"vitals/internal/atomicfile"
	"vitals/internal/capacity"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/stack"
)

// Options are what a user asks of a search.
type Options struct {
	Run             harness.Options // one scenario
	Warmup, Measure time.Duration   // of each measurement
	Search          capacity.Options
	Format          string // text or json
}

// Search checks what was asked for, searches, keeps every measurement and prints the
// bracket. It drains when drain ends and stops at once with kill. Its error carries
// the exit code.
func Search(drain, kill context.Context, o Options, s harness.Streams) error {
	window := harness.Window{Warmup: o.Warmup, Measure: o.Measure}
	errs := []error{o.Search.Check(), window.Check(), harness.Writable(o.Run.Out)}
	if o.Format != "text" && o.Format != "json" {
		errs = append(errs, fmt.Errorf("--format %s: want text or json", o.Format))
	}
	if err := errors.Join(errs...); err != nil {
		return exit.With(exit.Usage, err)
	}
	release, err := stack.Output(o.Run.Out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // what stays locked is no one's
	r := &Runner{Options: o.Run, Window: window, Kill: kill, Out: o.Run.Out}
	r.Say = func(words string) { fmt.Fprintln(s.Err, words) }
	o.Search.Measure, o.Search.Least = r.Measure, leastRate(o.Measure)
	o.Search.Tell = func(step capacity.Step) { fmt.Fprintln(s.Err, step.Line()) }
	out, err := capacity.Search(drain, o.Search)
	if out != nil && len(out.Steps) > 0 {
		err = errors.Join(err, o.tell(s, out))
	}
	switch {
	case err != nil:
		return err
	case out.Low == 0 || out.High == 0 || out.Open != "":
		return exit.Said(exit.NoAnswer)
	}
	return nil
}

// tell writes what was found, of a search that was cut short as well.
func (o *Options) tell(s harness.Streams, out *capacity.Outcome) error {
	encode := func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	err := atomicfile.Write(filepath.Join(o.Run.Out, "capacity.json"), encode)
	if o.Format == "json" {
		return errors.Join(err, encode(s.Out))
	}
	return errors.Join(err, out.Write(s.Out))
}
