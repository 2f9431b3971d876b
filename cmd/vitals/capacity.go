package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/atomicfile"
	"vitals/internal/capacity"
	"vitals/internal/capacity/steps"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/stack"
)

// capacityOptions are the flags of `vitals capacity`.
type capacityOptions struct {
	run             harness.Options
	warmup, measure time.Duration
	search          capacity.Options
	format          string
}

func newCapacityCmd(s streams) *cobra.Command {
	o := capacityOptions{}
	cmd := &cobra.Command{
		Use:   "capacity [SCENARIO]",
		Short: "Find the highest rate that meets the targets",
		Long: `Search for the highest rate of arrivals at which a scenario (default: normal) meets
every target, its lockout included: double the rate until one is missed, bisect,
and measure both ends of the bracket again. Each measurement is a run of its own,
from a fresh start of a stack that is ours. A measurement in which the generator was
the limit is repeated, and never an answer. A rate also counts as missed when the
system falls behind: requests that could not be sent, a queue that grows.

Scenarios of users are run as arrivals: each is one visit of a journey.

` + exit.Table,
		Example: `  vitals capacity
  vitals capacity normal --url http://127.0.0.1:8000 --accounts accounts.csv --start 20 --precision 0.02`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.run.Scenarios = append(args, "normal")[:1]
			return runCapacity(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	systemFlags(f, &o.run)
	urlFlag(f, &o.run.URL)
	apiImageFlag(f, &o.run.Images.API)
	f.Float64Var(&o.search.Start, "start", 10, "first rate, in arrivals a second")
	f.Float64Var(&o.search.Max, "max", 0, "highest rate that is tried; 0 = no bound")
	f.Float64Var(&o.search.Precision, "precision", 0.05, "width of the bracket: 0.05 is 5 %")
	f.IntVar(&o.search.Confirm, "confirm", 2, "measurements that each end of the bracket rests on")
	f.DurationVar(&o.warmup, "warmup", 10*time.Second, "of each measurement, not judged")
	f.DurationVar(&o.measure, "measure", 30*time.Second, "judged window of each measurement")
	f.StringVar(&o.run.Out, "out", "out", "folder for capacity.json and every measurement")
	f.StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

func runCapacity(ctx context.Context, s streams, o capacityOptions) error {
	binary, err := os.Executable()
	if err != nil {
		return exit.Errorf(exit.NoSystem, "find this binary, which is also the API: %w", err)
	}
	errs := []error{o.search.Check(), harness.Writable(o.run.Out)}
	if o.format != "text" && o.format != "json" {
		errs = append(errs, fmt.Errorf("--format %s: want text or json", o.format))
	}
	if err := errors.Join(errs...); err != nil {
		return exit.With(exit.Usage, err)
	}
	release, err := stack.Output(o.run.Out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // what stays locked is no one's
	o.run.Binary, o.run.Tool, o.run.Command = binary, tool(), os.Args
	drain, kill, stop := interruptible(ctx, s.Err)
	defer stop()
	r := &steps.Runner{Options: o.run, Window: harness.Window{Warmup: o.warmup, Measure: o.measure}, Kill: kill, Out: o.run.Out}
	o.search.Measure = r.Measure
	o.search.Tell = func(step capacity.Step) { fmt.Fprintln(s.Err, step.Line()) }
	out, err := capacity.Search(drain, o.search)
	if out != nil && len(out.Steps) > 0 {
		err = errors.Join(err, o.tell(s, out))
	}
	var coded *exit.Error
	switch {
	case errors.As(err, &coded):
		return exit.With(coded.Code, err)
	case err != nil:
		return exit.With(exit.NoAnswer, err)
	case out.Low == 0 || out.High == 0 || out.Open != "":
		return exit.Said(exit.NoAnswer)
	}
	return nil
}

// tell writes what was found, of a search that was cut short as well.
func (o *capacityOptions) tell(s streams, out *capacity.Outcome) error {
	encode := func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	err := atomicfile.Write(filepath.Join(o.run.Out, "capacity.json"), encode)
	if o.format == "json" {
		return errors.Join(err, encode(s.Out))
	}
	return errors.Join(err, out.Write(s.Out))
}
