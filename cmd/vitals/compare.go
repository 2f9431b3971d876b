package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vitals/internal/baseline/gate"
	"vitals/internal/exit"
)

func newCompareCmd(s streams) *cobra.Command {
	o := gate.Options{Policy: gate.Warn}
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Judge a baseline against an earlier one",
		Long: `Compare two baseline files (or the folders that hold a baseline.json) and judge
each figure: worse, better, no change, not worse, inconclusive or not comparable.
p95, errors, rate and CPU per request gate; endpoints and the rest explain.

Files of different scenarios, load or machines are refused (exit 3), never compared
in silence. Two stored files come from two sessions, and sessions differ although
the builds do not: without history of 10 sessions that noise is taken to be 10 %,
so that only a change of more than 32 % is called worse. --history learns it. One between the tolerance
and that is to be confirmed by a duet, whose command is printed (exit 3). The two
files of one duet are compared pair by pair, and a duet that may not fail a build
does not fail it by its files either.

` + exit.Table,
		Example: `  vitals compare old/baseline.json out/baseline.json
  vitals compare old/baseline.json out/baseline.json --inconclusive fail --format json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return gate.Files(cmd.Context(), args[0], args[1], o, s.Out, s.Err)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.AllowEnvMismatch, "allow-env-mismatch", false, "show figures from unlike machines all the same, never judged")
	f.StringVar(&o.History, "history", "", "folder of vitals history: the noise between sessions is learned from it")
	comparisonFlags(f, &o)
	return cmd
}

// comparisonFlags are those of every command that compares.
func comparisonFlags(f *pflag.FlagSet, o *gate.Options) {
	f.Var(&o.Policy, "inconclusive", "what an undecided comparison is: "+gate.Words)
	f.StringSliceVar(&o.Gate, "gate", nil, "scenarios that gate (default: all but stress, spike and siege)")
	f.StringArrayVar(&o.Tolerance, "tolerance", nil, "smallest change that matters, METRIC=PERCENT, as in p95=15%; again for another")
	f.StringVar(&o.Format, "format", "text", "text or json")
}
