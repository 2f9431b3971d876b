package main

import (
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/baseline/history"
	"vitals/internal/exit"
	"vitals/report"
)

func newHistoryCmd(s streams) *cobra.Command {
	var all bool
	var page string
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
  vitals history nights --html nights.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return report.ShowHistory(s.Out, args[0], all, page) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "every metric, not only those that gate or that changed")
	cmd.Flags().StringVar(&page, "html", "", "leave it as a page in this file as well")
	cmd.AddCommand(
		&cobra.Command{
			Use: "add DIR BASELINE…", Short: "Append the valid runs of sessions", Args: cobra.MinimumNArgs(2),
			RunE: func(_ *cobra.Command, args []string) error { return history.AddFiles(s.Out, args[0], args[1:]) },
		},
		&cobra.Command{
			Use: "list DIR", Short: "List the sessions", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return history.List(s.Out, args[0]) },
		},
		newHistoryAcceptCmd(s))
	return cmd
}

func newHistoryAcceptCmd(s streams) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "accept DIR SESSION --reason WHY", Short: "Accept that the level changed with a session", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return history.AcceptIn(s.Out, args[0], args[1], reason, time.Now())
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the next reader")
	return cmd
}
