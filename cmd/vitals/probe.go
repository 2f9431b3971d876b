package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/exit"
	"vitals/internal/load"
	"vitals/internal/load/null"
)

func newProbeCmd(s streams) *cobra.Command {
	var each time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "probe-generator",
		Short: "Measure this machine's load generator, to know what may be believed here",
		Long: `Measure the load generator against a server that does nothing but answer, in a
process of its own on loopback: the highest rate it makes, and at 1 000, 5 000 and
10 000 requests per second how late it is and what a request costs it. A run whose
own lateness comes near these figures has measured this machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runProbe(cmd.Context(), s, each, asJSON)
		},
	}
	cmd.Flags().DurationVar(&each, "each", 5*time.Second, "how long each rate is held")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(&cobra.Command{
		Use: "null-server", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return exit.With(exit.NoSystem, null.Child(s.In, s.Out)) },
	})
	return cmd
}

func runProbe(ctx context.Context, s streams, each time.Duration, asJSON bool) error {
	if each <= 0 {
		return exit.Errorf(exit.Usage, "--each %s: want a length above 0", each)
	}
	ctx, _, stop := exit.Interruptible(ctx, s.Err)
	defer stop()
	binary, err := program()
	if err != nil {
		return err
	}
	base, end, err := null.Start(exec.CommandContext(ctx, binary, "probe-generator", "null-server"))
	if err != nil {
		return exit.With(exit.NoSystem, err)
	}
	defer end()
	p, err := load.ProbeGenerator(ctx, base, each, func(what string) { fmt.Fprintln(s.Err, what) })
	switch {
	case ctx.Err() != nil:
		return exit.Errorf(exit.Interrupted, "interrupted")
	case err != nil:
		return err
	case !asJSON:
		return p.Write(s.Out)
	}
	enc := json.NewEncoder(s.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}
