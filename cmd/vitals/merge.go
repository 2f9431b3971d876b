package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/report"
)

func newMergeCmd(s streams) *cobra.Command {
	var out string
	var maxLost int
	cmd := &cobra.Command{
		Use:   "merge DIR…",
		Short: "Make one result of what the members of a run left (vitals run --member I/N)",
		Long: `Read DIR/document.json of every member of one run, in any order, add them up and
judge the sum by the targets of their common plan. Counts and histograms are added
exactly: the result is the one that a single machine would have measured.

Documents that do not belong together are refused: another plan, version or
scenario, a member that is there twice or missing. With --max-lost K up to K
members may be missing; such a run can fail but never pass, and leaves no baseline.

` + exit.Table,
		Example: `  vitals run peak.yaml --url http://10.0.0.5:8000 --accounts a.csv --member 0/2 --start-at 2026-01-31T15:00:00Z --out m0
  vitals run peak.yaml --url http://10.0.0.5:8000 --accounts a.csv --member 1/2 --start-at 2026-01-31T15:00:00Z --out m1
  vitals merge m0 m1 --out merged`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, dirs []string) error {
			d, err := harness.MergeDirs(dirs, out, maxLost)
			if err != nil {
				return err
			}
			if err := report.Ended(s.Out, d, out); err != nil {
				return fmt.Errorf("print the report: %w", err)
			}
			return exit.Said(d.Exit)
		},
	}
	cmd.Flags().StringVar(&out, "out", "out", "folder for document.json and baseline.json")
	cmd.Flags().IntVar(&maxLost, "max-lost", 0, "members that may be missing")
	return cmd
}
