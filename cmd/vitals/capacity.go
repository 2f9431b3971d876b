package main

import (
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/capacity/steps"
	"vitals/internal/exit"
)

func newCapacityCmd(s streams) *cobra.Command {
	o := steps.Options{}
	cmd := &cobra.Command{
		Use:   "capacity [SCENARIO]",
		Short: "Find the highest rate that meets the targets",
		Long: `Search for the highest rate of arrivals at which a scenario (default: normal) meets
every target, its lockout included: double the rate until one is missed, bisect,
and measure both ends of the bracket again. Each measurement is a run of its own,
from a fresh start of a stack that is ours. A measurement in which the generator was
the limit is repeated, and never an answer. A rate also counts as missed when the
system falls behind: requests that could not be sent, a queue that grows. Where no rate
missed a target up to --max, or none met them all, the bracket has one end: exit code 3.

Scenarios of users are run as arrivals: each is one visit of a journey.

` + exit.Table,
		Example: `  vitals capacity
  vitals capacity normal --url http://127.0.0.1:8000 --accounts accounts.csv --start 20 --precision 0.02`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := asGiven(&o.Run, append(args, "normal")[:1]); err != nil {
				return err
			}
			drain, kill, stop := exit.Interruptible(cmd.Context(), s.Err)
			defer stop()
			return steps.Search(drain, kill, o, s.talk())
		},
	}
	f := cmd.Flags()
	systemFlags(f, &o.Run)
	urlFlag(f, &o.Run.URL)
	apiImageFlag(f, &o.Run.Images.API)
	f.Float64Var(&o.Search.Start, "start", 10, "first rate, in arrivals a second")
	f.Float64Var(&o.Search.Max, "max", 0, "highest rate that is tried; 0 = no bound")
	f.Float64Var(&o.Search.Precision, "precision", 0.05, "width of the bracket: 0.05 is 5 %")
	f.IntVar(&o.Search.Confirm, "confirm", 2, "measurements that each end of the bracket rests on")
	f.DurationVar(&o.Warmup, "warmup", 10*time.Second, "of each measurement, not judged")
	f.DurationVar(&o.Measure, "measure", 30*time.Second, "judged window of each measurement")
	f.StringVar(&o.Run.Out, "out", "out", "folder for capacity.json and every measurement")
	f.StringVar(&o.Format, "format", "text", "text or json")
	return cmd
}
