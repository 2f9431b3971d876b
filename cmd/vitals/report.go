package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"vitals/internal/atomicfile"
	"vitals/report"
)

func newReportCmd(s streams) *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use:     "report DOCUMENT",
		Short:   "Render a document again, without load",
		Args:    cobra.ExactArgs(1),
		Example: "  vitals report out/document.json\n  vitals report out/document.json --format json",
		RunE: func(_ *cobra.Command, args []string) error {
			return runReport(s, args[0], format, out)
		},
	}
	cmd.Flags().StringVar(&format, "format", "terminal", strings.Join(report.Formats(), ", "))
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this file instead of stdout")
	return cmd
}

func runReport(s streams, file, format, out string) error {
	render, err := report.For(format)
	if err != nil {
		return usage("--format: %w", err)
	}
	d, err := report.Read(file)
	if err != nil {
		return &exit{exitUsage, err}
	}
	if out == "" {
		err = render(s.Out, d)
	} else {
		err = atomicfile.Write(out, func(w io.Writer) error { return render(w, d) })
	}
	if err != nil {
		return &exit{exitNoAnswer, fmt.Errorf("render %s: %w", file, err)}
	}
	return nil
}

func newValidateCmd(s streams) *cobra.Command {
	o := runOptions{pace: "full", replicas: 1, out: os.TempDir(), targets: "production"}
	cmd := &cobra.Command{
		Use:   "validate [SCENARIO…]",
		Short: "Check scenario and target files without load",
		RunE: func(_ *cobra.Command, args []string) error {
			o.scenarios = args
			p, err := newPlan(o)
			if err != nil {
				return &exit{exitUsage, err}
			}
			for _, sc := range p.scenarios {
				fmt.Fprintf(s.Out, "%s: %s, %v, judged over %v\n", sc.Name, sc.About, sc.Load.Total(), sc.Load.Window())
			}
			fmt.Fprintf(s.Out, "%s: %d targets\n", o.targets, len(p.targets))
			return nil
		},
	}
	cmd.Flags().StringVar(&o.targets, "targets", o.targets, "targets to check: a built-in set or a file")
	return cmd
}
