package main

import (
	"strings"

	"github.com/spf13/cobra"

	"vitals/internal/harness"
	"vitals/internal/profile"
	"vitals/targets"
)

func newValidateCmd(s streams) *cobra.Command {
	o := harness.Options{Replicas: 1, ReadOnly: true}
	cmd := &cobra.Command{
		Use:   "validate [SCENARIO…]",
		Short: "Check scenario, target and profile files, and print what will be used, without load",
		Long: `Read the scenarios (built-in names or files), the targets and the profile as vitals
run would, and print what it would do with them. Every mistake is told at once,
with its place and the nearest right spelling; the exit code is then 2.`,
		Example: `  vitals validate morning.yaml
  vitals validate smoke --profile mine.yaml --targets mine-targets.yaml`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.Scenarios = args
			p, err := harness.Read(o)
			if err != nil {
				return &exit{exitUsage, err}
			}
			return p.Print(s.Out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Pace, "pace", "full", "the pace to print: full or quick")
	f.StringVar(&o.Targets, "targets", "production", "targets to check: none, "+strings.Join(targets.Names(), ", ")+", or a file")
	f.StringVar(&o.Accounts, "accounts", "", "CSV file of accounts, to check that there are enough")
	f.StringVar(&o.Profile, "profile", "", "another API's paths and fields: "+strings.Join(profile.Names(), ", ")+", or a file")
	return cmd
}
