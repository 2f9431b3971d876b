package main

import (
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/baseline/gate"
	"vitals/internal/baseline/stats"
	"vitals/internal/duet/slots"
	"vitals/internal/exit"
)

func newDuetCmd(s streams) *cobra.Command {
	o := slots.Options{Compare: gate.Options{Policy: gate.Warn}}
	cmd := &cobra.Command{
		Use:   "duet [SCENARIO…]",
		Short: "Compare two builds by interleaved pairs of runs: the comparison that may fail a build",
		Long: `Run two builds in turns, A B, B A, A B…, each run from a fresh start with fresh data,
and judge the pairs after 5, 10 and 15 of them; stop as soon as the answer is known.
Whatever drifts on the machine meets both alike. A pair with an invalid run is run
again whole. Without a scenario: normal.

A build is an API image, a vitals program, or a git revision of this repository.
--base-url and --cand-url compare two deployments that are up already; nobody
starts those afresh.

--qualify runs one build against itself and keeps what noise this machine has, and
so the smallest change that a gate here may fail on. Without a qualification younger
than 30 days for this kind of machine a duet judges as ever, warns, and fails nothing.

OUT gets base.json.gz and cand.json.gz (vitals compare reads them), document.json
(vitals report shows it) and a folder for every run.

` + exit.Table,
		Example: `  vitals duet --qualify --base bin/vitals
  vitals duet --base old/vitals --cand bin/vitals
  vitals duet --base api:1.4 --cand api:1.5 --stack containers --tolerance p95=15%
  vitals duet --base-url http://10.0.0.4:8000 --cand-url http://10.0.0.5:8000 --accounts accounts.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := asGiven(&o.Run, args); err != nil {
				return err
			}
			drain, kill, stop := exit.Interruptible(cmd.Context(), s.Err)
			defer stop()
			return slots.Play(drain, kill, o, s.talk())
		},
	}
	f := cmd.Flags()
	systemFlags(f, &o.Run)
	f.StringVar(&o.Base, "base", "", "the build that is judged against")
	f.StringVar(&o.Cand, "cand", "", "the build that is judged")
	f.StringVar(&o.BaseURL, "base-url", "", "the same, as deployments that are up")
	f.StringVar(&o.CandURL, "cand-url", "", "")
	f.DurationVar(&o.Warmup, "warmup", 30*time.Second, "of each run, not measured")
	f.DurationVar(&o.Measure, "measure", time.Minute, "measured window of each run")
	f.IntSliceVar(&o.Looks, "looks", stats.DefaultLooks(), "numbers of pairs after which to look, three at most")
	f.BoolVar(&o.Qualify, "qualify", false, "run --base against itself, and keep what this machine can see")
	f.StringVar(&o.State, "state", slots.StateDir(), "folder of qualifications")
	f.StringVar(&o.Run.Out, "out", "out", "folder for the baselines of both builds and the comparison")
	comparisonFlags(f, &o.Compare)
	return cmd
}
