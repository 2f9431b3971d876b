package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
	"vitals/internal/exit"
)

func newHistoryCmd(s streams) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "history DIR",
		Short: "Keep nightly baselines, and show where a level changed",
		Long: `Show the nightly series in DIR: each metric of each scenario and kind of machine, its
change points, and what the two newest nights suspect. History suspects, it never
fails by itself: a duet confirms, and the command for it is printed.

  vitals history add DIR BASELINE…            append sessions
  vitals history list DIR                     the sessions
  vitals history accept DIR SESSION --reason  the level changed here, and this is why

` + exit.Table,
		Example: `  vitals history add nights out/baseline.json
  vitals history nights`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runHistory(s, args[0], all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "every metric, not only those that gate or that changed")
	cmd.AddCommand(
		&cobra.Command{
			Use: "add DIR BASELINE…", Short: "Append the valid runs of sessions", Args: cobra.MinimumNArgs(2),
			RunE: func(_ *cobra.Command, args []string) error { return runHistoryAdd(s, args[0], args[1:]) },
		},
		&cobra.Command{
			Use: "list DIR", Short: "List the sessions", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return runHistoryList(s, args[0]) },
		},
		newHistoryAcceptCmd(),
	)
	return cmd
}

func newHistoryAcceptCmd() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "accept DIR SESSION --reason WHY", Short: "Accept that the level changed with a session", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := history.Open(args[0])
			if err == nil {
				err = h.Accept(args[1], reason, time.Now())
			}
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the next reader")
	return cmd
}

// shownByDefault are the metrics that are shown though nothing happened.
var shownByDefault = []string{"p95", "errors"}

func runHistory(s streams, dir string, all bool) error {
	h, err := history.Open(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	if len(h.Nights) == 0 {
		return exit.Errorf(exit.NoAnswer, "no session in %s yet: vitals history add %s BASELINE", dir, dir)
	}
	var fresh []string
	for _, series := range h.Series() {
		found := series.Findings()
		if len(found) == 0 && !all && !slices.Contains(shownByDefault, series.Metric) {
			continue
		}
		fmt.Fprintf(s.Out, "\n%s %s, environment class %s: %d nights\n%s", series.Metric, series.Scenario, series.Class, len(series.Nights), series.Plot(80))
		for _, f := range found {
			fmt.Fprintln(s.Out, "  "+f.Words())
			if f.Fresh() && !slices.Contains(fresh, f.Confirm()) {
				fresh = append(fresh, f.Confirm())
			}
		}
	}
	for _, cmd := range fresh {
		fmt.Fprintln(s.Out, "\nto confirm: "+cmd)
	}
	return nil
}

// runHistoryAdd appends all sessions that can be, and reports all that cannot.
func runHistoryAdd(s streams, dir string, files []string) error {
	h, err := history.Open(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	var errs []error
	for _, path := range files {
		f, err := baseline.Open(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n, err := h.Add(f)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
			continue
		}
		fmt.Fprintf(s.Out, "session %s: %d figures\n", f.Session.ID, n)
	}
	if err := errors.Join(errs...); err != nil {
		return refusal(err)
	}
	return nil
}

func runHistoryList(s streams, dir string) error {
	h, err := history.Open(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	seen := map[string]bool{}
	for _, n := range h.Nights {
		if seen[n.Session] {
			continue
		}
		seen[n.Session] = true
		line := fmt.Sprintf("%s  %-18s  class %s  %.12s", n.Time.Format(time.RFC3339), n.Session, n.Class, n.Rev)
		for _, a := range h.Accepted {
			if a.Session == n.Session {
				line += "  accepted: " + a.Reason
			}
		}
		fmt.Fprintln(s.Out, line)
	}
	return nil
}
