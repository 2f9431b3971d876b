package main

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vitals/internal/doctor"
	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/fleet/kubernetes"
	"vitals/internal/fleet/kubernetes/cluster"
	"vitals/internal/harness"
	"vitals/internal/load"
)

func newFleetCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "The same scenario from several machines or processes, merged exactly",
		Long: `For load that one machine cannot send: its share of one plan goes to each of N
members, all begin at one instant, and what they measured is added up exactly. One
core sends tens of thousands of requests per second (vitals probe-generator), so
ask vitals fleet plan first.

` + exit.Table,
	}
	cmd.AddCommand(newFleetPlanCmd(s), newFleetRenderCmd(s), newFleetRunCmd(s), newFleetStatusCmd(s), newFleetAbortCmd(s), newFleetDoctorCmd(s))
	return cmd
}

func newFleetPlanCmd(s streams) *cobra.Command {
	var capacity float64
	var workers, why string
	cmd := &cobra.Command{
		Use: "plan SCENARIO", Short: "How many members a scenario needs", Args: cobra.ExactArgs(1),
		Example: "  vitals fleet plan peak --capacity 60000\n  vitals fleet plan peak --workers auto",
		RunE: func(cmd *cobra.Command, args []string) error {
			return exit.With(exit.Usage, fleet.Propose(s.Out, args[0], capacity, workers, why, func() (float64, error) {
				return load.MachineRate(cmd.Context(), "probe-generator", "null-server")
			}))
		},
	}
	cmd.Flags().Float64Var(&capacity, "capacity", 0, "requests per second that one machine can send (vitals probe-generator)")
	cmd.Flags().StringVar(&workers, "workers", "0", "members; 0 = as many as are needed, auto = the same, by this machine's own rate, measured in 3 s")
	cmd.Flags().StringVar(&why, "because", "", "why more than one: "+strings.Join(fleet.Because, ", "))
	return cmd
}

func newFleetRenderCmd(s streams) *cobra.Command {
	r, sub := harness.Fleet{Engine: "kubernetes"}, cluster.Submission{}
	cmd := &cobra.Command{
		Use: "render SCENARIO", Short: "Write the run as a Kubernetes Indexed Job; nothing is contacted", Args: cobra.ExactArgs(1),
		Example: "  vitals fleet render peak --run-id peak-1 --workers 20 --image example.org/vitals@sha256:… --rendezvous-secret meeting --accounts-secret accounts --url https://staging.example.org --i-own staging.example.org | kubectl apply -f -",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := asGiven(&r.Options, args); err != nil {
				return err
			}
			r.Options.ReadOnly = true
			p, wrong := r.Read()
			text, err := sub.Render(p, r.Lead)
			if err := errors.Join(wrong, err); err != nil {
				return exit.With(exit.Usage, err)
			}
			_, err = s.Out.Write(text)
			return err
		},
	}
	f := cmd.Flags()
	fleetFlags(f, &r, &sub.Job)
	f.StringVar(&r.Lead.Run, "run-id", "", "name of the run at the rendezvous and, in lower case, of the job")
	return cmd
}

// fleetFlags are those of a run of several members, whoever starts it.
func fleetFlags(f *pflag.FlagSet, r *harness.Fleet, j *kubernetes.Job) {
	o := &r.Options
	f.IntVar(&r.Lead.Members, "workers", 2, "members")
	f.IntVar(&r.Lead.MaxLost, "max-lost", 0, "members that may be lost without ending the run; such a run never passes")
	jobFlags(f, j)
	urlFlag(f, &o.URL)
	paceFlag(f, &o.Pace)
	targetsFlag(f, &o.Targets)
	profileFlag(f, &o.Profile)
	ownFlag(f, &o.Own)
	seedFlag(f, &o.Seed)
	o.Replicas = 1
}

func newFleetRunCmd(s streams) *cobra.Command {
	r, sub := harness.Fleet{}, cluster.Submission{}
	o, l := &r.Options, &r.Lead
	cmd := &cobra.Command{
		Use: "run SCENARIO", Short: "Run a scenario with several members, merge and judge it", Args: cobra.ExactArgs(1),
		Long: `Run one scenario with several members, merge what they measured, and judge it.

--engine local starts them as child processes here, for CI and rehearsal.
--engine kubernetes submits the Indexed Job that vitals fleet render writes, and
               deletes it at the end, also at Ctrl-C.
--engine none  leads members that you start yourself, anywhere (ssh, Nomad, kubectl
               apply of what vitals fleet render writes): each is
               vitals run SCENARIO --member I/N --rendezvous-file FILE --run-id ID …
               with the same scenario, --url, --pace, --seed, --targets and --profile

With a rendezvous the merged figures are shown while the run goes on, with a line
for each member, and the scenario's abort rules are asked of them alone. The same
command with the same --run-id goes on with a run whose controller was killed,
within 15 s; after that the members have stopped by themselves. Its result can be
collected for a day.

` + exit.Table,
		Example: `  vitals fleet run normal --engine local --workers 4 --because rehearsal --pace quick
  vitals fleet run peak --engine none --workers 20 --rendezvous-file redis-url.txt --run-id peak-1 --url https://staging.example.org`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := asGiven(o, args); err != nil {
				return err
			}
			r.Submit = sub.Engine
			drain, kill, stop := exit.Interruptible(cmd.Context(), s.Err)
			defer stop()
			d, err := r.Run(drain, kill, s.talk())
			if err != nil {
				return err
			}
			return exit.Said(d.Exit)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Engine, "engine", "local", "who starts the members: local (child processes of this machine), kubernetes, or none (you)")
	fleetFlags(f, &r, &sub.Job)
	f.StringVar(&r.Because, "because", "", "with --engine local: why more than one: "+strings.Join(fleet.Because, ", "))
	rendezvousFlag(f, &l.Rendezvous)
	f.StringVar(&l.Run, "run-id", "", "with --rendezvous-file: name of the run there; with --engine local a new one by default")
	f.DurationVar(&l.Barrier, "barrier", 10*time.Minute, "with --rendezvous-file: how long to wait until every member is ready")
	f.StringVar(&sub.Kubeconfig, "kubeconfig", "", "with --engine kubernetes: default $KUBECONFIG, then ~/.kube/config, then the pod's own")
	f.StringVar(&sub.Context, "context", "", "with --engine kubernetes: context of the kubeconfig")
	f.BoolVarP(&o.Quiet, "quiet", "q", false, "no progress while the run lasts")
	stackFlag(f, &o.Stack)
	accountsFlag(f, &o.Accounts)
	f.StringVar(&o.Out, "out", "out", "folder for the merged document, and members/ with each member's own")
	return cmd
}

func newFleetStatusCmd(s streams) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "status RUN", Short: "How a run at a rendezvous stands", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return harness.FleetStatus(cmd.Context(), s.Out, file, args[0])
		},
	}
	rendezvousFlag(cmd.Flags(), &file)
	return cmd
}

func newFleetAbortCmd(s streams) *cobra.Command {
	var file, reason string
	cmd := &cobra.Command{
		Use: "abort RUN", Short: "Stop every member of a run at a rendezvous", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return harness.FleetAbort(cmd.Context(), s.Out, file, args[0], reason)
		},
	}
	rendezvousFlag(cmd.Flags(), &file)
	cmd.Flags().StringVar(&reason, "reason", "stopped by hand", "what the members and the report say")
	return cmd
}

func newFleetDoctorCmd(s streams) *cobra.Command {
	var o doctor.FleetOptions
	cmd := &cobra.Command{
		Use: "doctor", Short: "Tell what a run of several members lacks, and what to do", Args: cobra.NoArgs,
		Long:    "Look at the rendezvous: is it reached, the run's own, safe from eviction, near; and at\nhow the image is named. Exit code 0: nothing is missing; 4: something is.",
		Example: "  vitals fleet doctor --rendezvous-file redis-url.txt --workers 20 --url https://staging.example.org",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return doctor.Tell(s.Out, doctor.ExamineFleet(cmd.Context(), o), "several members cannot meet there as it is")
		},
	}
	f := cmd.Flags()
	rendezvousFlag(f, &o.File)
	f.StringVar(&o.System, "url", "", "the system under test, which is not contacted")
	f.StringVar(&o.Image, "image", "", "image of the members")
	f.IntVar(&o.Members, "workers", 1, "members")
	return cmd
}
