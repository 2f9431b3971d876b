package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
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
	cmd.AddCommand(newNullCmd(s))
	return cmd
}

func runProbe(ctx context.Context, s streams, each time.Duration, asJSON bool) error {
	ctx, _, stop := interruptible(ctx, s.Err)
	defer stop()
	base, end, err := startNull(ctx)
	if err != nil {
		return exit.With(exit.NoSystem, err)
	}
	defer end()
	p, err := load.ProbeGenerator(ctx, base, each, func(what string) { fmt.Fprintln(s.Err, what) })
	switch {
	case ctx.Err() != nil:
		return exit.With(exit.Interrupted, errors.New("interrupted"))
	case err != nil:
		return exit.With(exit.NoAnswer, err)
	}
	if asJSON {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(p)
	}
	return probeTable(s.Out, p)
}

func probeTable(w io.Writer, p *load.Probe) error {
	fmt.Fprintf(w, "As fast as it goes: %.0f requests/s at %v of CPU each, 32 users without think time.\n\n", p.MaxRate, p.MaxCPU)
	t := tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone))
	t.Header("planned", "sent", "grid", "lag p50", "lag p99", "service p50", "CPU per request")
	for _, r := range p.Rates {
		grid := "exact"
		if r.Grid > 0 {
			grid = r.Grid.String()
		}
		if err := t.Append([]string{
			fmt.Sprintf("%.0f/s", r.Rate), fmt.Sprintf("%.2f%%", 100*r.Sent), grid,
			r.Lag50.String(), r.Lag99.String(), r.Service.String(), r.CPU.String(),
		}); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for _, r := range p.Rates {
		for _, doubt := range r.Doubts {
			fmt.Fprintf(w, "at %.0f/s: %s\n", r.Rate, doubt)
		}
	}
	return nil
}

// startNull starts the null server as a process of its own, so that its CPU is
// not counted as the generator's.
func startNull(ctx context.Context) (*url.URL, func(), error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find this binary, which is also the null server: %w", err)
	}
	cmd := exec.CommandContext(ctx, binary, "probe-generator", "null-server")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, nil, fmt.Errorf("start the null server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the null server: %w", err)
	}
	end := func() { _ = in.Close(); _ = cmd.Wait() } // its exit says nothing
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("start the null server: it said nothing: %w", err)
	}
	base, err := url.Parse("http://" + line[:len(line)-1])
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("start the null server: %w", err)
	}
	return base, end, nil
}

// newNullCmd is the child of probe-generator.
func newNullCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "null-server", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			server, err := null.Listen()
			if err != nil {
				return exit.With(exit.NoSystem, err)
			}
			defer server.Close()
			fmt.Fprintln(s.Out, server.Addr())
			_, err = io.Copy(io.Discard, s.In) // until the parent closes it, or is no more
			return err
		},
	}
}
