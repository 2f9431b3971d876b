package main

import (
	"github.com/spf13/cobra"

	"vitals/internal/atomicfile"
	"vitals/internal/exit"
	"vitals/report"
)

func newReportCmd(s streams) *cobra.Command {
	var format, out, scenario string
	var verbose bool
	cmd := &cobra.Command{
		Use:     "report DOCUMENT",
		Short:   "Render a document, an audit or a search for capacity again, without load",
		Long:    "Render document.json or audit.json in another form:\n\n" + report.FormatsHelp() + "\nAn audit has the forms html, json, junit, markdown, sarif and terminal;\ncapacity.json has json, markdown and terminal.",
		Args:    cobra.ExactArgs(1),
		Example: "  vitals report out/document.json\n  vitals report out/document.json --format json",
		RunE: func(_ *cobra.Command, args []string) error {
			if verbose {
				if format != "terminal" {
					return exit.Errorf(exit.Usage, "--verbose is the long form of --format terminal, not of %s", format)
				}
				format = "verbose"
			}
			return runReport(s, args[0], format, out, scenario)
		},
	}
	cmd.Flags().StringVar(&format, "format", "terminal", "one of the forms above")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "everything, not only what fits one screen")
	cmd.Flags().StringVar(&scenario, "scenario", "", "this scenario of the document alone")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this file instead of stdout")
	return cmd
}

func runReport(s streams, file, format, out, scenario string) error {
	f, err := report.Open(file)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	if scenario != "" {
		if f.Document == nil {
			return exit.Errorf(exit.Usage, "--scenario: only a document of vitals run has scenarios to choose from")
		}
		if f.Document, err = f.Document.Only(scenario); err != nil {
			return exit.Errorf(exit.Usage, "--scenario: %w", err)
		}
	}
	render, err := f.For(format)
	if err != nil {
		return exit.Errorf(exit.Usage, "--format: %w", err)
	}
	if out == "" {
		err = exit.Shown(render(s.Out))
	} else {
		err = atomicfile.Write(out, render)
	}
	if err != nil {
		return exit.Errorf(exit.Writing(err), "render %s: %w", file, err)
	}
	return nil
}
