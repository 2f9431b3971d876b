package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vitals/internal/atomicfile"
	"vitals/report"
)

func newReportCmd(s streams) *cobra.Command {
	var format, out string
	var verbose bool
	cmd := &cobra.Command{
		Use:     "report DOCUMENT",
		Short:   "Render a document or an audit again, without load",
		Args:    cobra.ExactArgs(1),
		Example: "  vitals report out/document.json\n  vitals report out/document.json --format json",
		RunE: func(_ *cobra.Command, args []string) error {
			if verbose {
				if format != "terminal" {
					return usage("--verbose is the long form of --format terminal, not of %s", format)
				}
				format = "verbose"
			}
			return runReport(s, args[0], format, out)
		},
	}
	cmd.Flags().StringVar(&format, "format", "terminal", strings.Join(report.Formats(), ", "))
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "everything, not only what fits one screen")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this file instead of stdout")
	return cmd
}

func runReport(s streams, file, format, out string) error {
	f, err := report.Open(file)
	if err != nil {
		return &exit{exitUsage, err}
	}
	render, err := f.For(format)
	if err != nil {
		return usage("--format: %w", err)
	}
	if out == "" {
		err = render(s.Out)
	} else {
		err = atomicfile.Write(out, render)
	}
	if err != nil {
		return &exit{exitNoAnswer, fmt.Errorf("render %s: %w", file, err)}
	}
	return nil
}
