package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vitals/internal/baseline"
	"vitals/report"
)

func newCompareCmd(s streams) *cobra.Command {
	var opt baseline.Options
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Set two baselines side by side",
		Long: `Set two baseline files side by side. Files of different scenarios, load or
machines are refused (exit 3), never compared in silence. The figures are
differences, not judged.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return runCompare(s, args[0], args[1], opt)
		},
	}
	cmd.Flags().BoolVar(&opt.AllowEnvMismatch, "allow-env-mismatch", false, "show figures from unlike machines all the same")
	return cmd
}

func runCompare(s streams, oldFile, newFile string, opt baseline.Options) error {
	older, err1 := baseline.Read(oldFile)
	newer, err2 := baseline.Read(newFile)
	if err := errors.Join(err1, err2); err != nil {
		return refusal(err)
	}
	c, err := baseline.Compare(older, newer, opt)
	if err != nil {
		return refusal(err)
	}
	if err := report.Comparison(s.Out, c); err != nil {
		return &exit{exitNoAnswer, fmt.Errorf("print the comparison: %w", err)}
	}
	return nil
}

// refusal tells files that cannot be compared (3) from files that cannot be
// read (2).
func refusal(err error) error {
	var no *baseline.NotComparable
	if errors.As(err, &no) {
		return &exit{exitNoAnswer, err}
	}
	return &exit{exitUsage, err}
}
