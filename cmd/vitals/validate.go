package main

import (
	"github.com/spf13/cobra"

	"vitals/internal/exit"
	"vitals/internal/harness"
)

func newValidateCmd(s streams) *cobra.Command {
	o, send := harness.Options{Replicas: 1, ReadOnly: true, Out: "out"}, false
	cmd := &cobra.Command{
		Use:   "validate [SCENARIO…]",
		Short: "Check scenario, target and profile files, and print what will be used, without load",
		Long: `Read the scenarios (built-in names or files), the targets and the profile as vitals
run would, and print what it would do with them. Every mistake is told at once,
with its place and the nearest right spelling; the exit code is then 2. --profile
without a scenario checks the profile alone.`,
		Example: `  vitals validate morning.yaml
  vitals validate morning.yaml --send --url http://127.0.0.1:8000 --accounts accounts.csv
  vitals validate smoke --profile mine.yaml --targets mine-targets.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Scenarios = args
			if send {
				if o.URL == "" {
					return exit.Errorf(exit.Usage, "--send needs --url: where to?")
				}
				o.ReadOnly, o.Once = false, true
				return runOnce(cmd.Context(), s, o)
			}
			if o.URL != "" {
				return exit.Errorf(exit.Usage, "--url is where --send sends to: without it nothing is sent")
			}
			p, err := harness.Read(o)
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Shown(p.Print(s.Out))
		},
	}
	f := cmd.Flags()
	paceFlag(f, &o.Pace)
	targetsFlag(f, &o.Targets)
	loadFlags(f, &o.Rate, &o.For)
	f.StringVar(&o.Accounts, "accounts", "", "CSV file of accounts, to check that there are enough")
	f.BoolVar(&send, "send", false, "send every task once to --url, and print every request and answer")
	f.StringVar(&o.URL, "url", "", "with --send: a deployment that is there")
	ownFlag(f, &o.Own)
	certificateFlags(f, &o.CA, &o.Cert, &o.Key)
	profileFlag(f, &o.Profile)
	return cmd
}
