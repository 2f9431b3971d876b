package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/fleet/kubernetes"
	"vitals/internal/fleet/rendezvous"
	"vitals/internal/harness"
	"vitals/scenarios"
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
	cmd.AddCommand(newFleetPlanCmd(s), newFleetRenderCmd(s), newFleetRunCmd(s), newFleetStatusCmd(s), newFleetAbortCmd(s))
	return cmd
}

// because are the reasons to use several machines where one could send the load.
var because = []string{"regions", "addresses", "rehearsal"}

func newFleetPlanCmd(s streams) *cobra.Command {
	var capacity float64
	var workers int
	var why string
	cmd := &cobra.Command{
		Use: "plan SCENARIO", Short: "How many members a scenario needs", Args: cobra.ExactArgs(1),
		Example: "  vitals fleet plan peak --capacity 60000",
		RunE: func(_ *cobra.Command, args []string) error {
			sc, err := scenarios.Open(args[0])
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			load := sc.At("full")
			rate := load.Peak()
			unit := "requests/s"
			if load.Model == scenarios.Users {
				unit = "users, each of which sends at most one request at a time"
			}
			need, err := fleet.Workers(rate, capacity)
			if err != nil {
				return exit.Errorf(exit.Usage, "%w; take --capacity from vitals probe-generator", err)
			}
			fmt.Fprintf(s.Out, "%s: at most %.0f %s; one machine sends %.0f/s, and is trusted with 60 %% of that: %d needed\n", sc.Name, rate, unit, capacity, need)
			if workers == 0 {
				workers = need
			}
			if workers > 1 && need == 1 && why == "" {
				return exit.Errorf(exit.Usage, "one machine suffices for %s; several need a reason: --because %s", sc.Name, strings.Join(because, "|"))
			}
			for i := range workers {
				fmt.Fprintf(s.Out, "  vitals run %s --member %s …\n", args[0], fleet.Member{Index: i, Of: workers})
			}
			return nil
		},
	}
	cmd.Flags().Float64Var(&capacity, "capacity", 0, "requests per second that one machine can send (vitals probe-generator)")
	cmd.Flags().IntVar(&workers, "workers", 0, "members; 0 = as many as are needed")
	cmd.Flags().StringVar(&why, "because", "", "why more than one: "+strings.Join(because, ", "))
	return cmd
}

func newFleetRenderCmd(s streams) *cobra.Command {
	j := kubernetes.Job{}
	var engine string
	var files []string
	cmd := &cobra.Command{
		Use: "render SCENARIO [-- FLAGS OF vitals run…]", Short: "Write the run as a Kubernetes Indexed Job; nothing is contacted", Args: cobra.MinimumNArgs(1),
		Example: "  vitals fleet render peak --workers 20 --image example.org/vitals@sha256:… --rendezvous-secret meeting --accounts-secret accounts -- --url https://staging.example.org --i-own staging.example.org | kubectl apply -f -",
		RunE: func(_ *cobra.Command, args []string) error {
			if engine != "kubernetes" {
				return exit.Errorf(exit.Usage, "--engine %s: want kubernetes", engine)
			}
			j.Args, j.Files = args, map[string]string{}
			for _, name := range append(files, args[0]) {
				text, err := os.ReadFile(name)
				switch {
				case err == nil:
					j.Files[filepath.Base(name)] = string(text)
				case name != args[0] || strings.ContainsRune(name, '.'): // a built-in scenario needs no file
					return exit.With(exit.Usage, err)
				}
			}
			j.Args[0] = filepath.Base(args[0])
			text, err := kubernetes.Render(j)
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			_, err = s.Out.Write(text)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&engine, "engine", "kubernetes", "kubernetes")
	f.StringVar(&j.Name, "name", "vitals", "name of the job")
	f.StringVar(&j.Namespace, "namespace", "", "namespace of the job")
	f.StringVar(&j.Image, "image", "", "image of vitals, best by digest")
	f.IntVar(&j.Workers, "workers", 1, "members")
	f.IntVar(&j.MaxLost, "max-lost", 0, "members that may be lost without ending the run")
	f.IntVar(&j.CPUs, "cpus", 1, "whole processors for each member")
	f.DurationVar(&j.Deadline, "deadline", time.Hour, "after which the job is ended, whatever it does")
	f.StringVar(&j.Meeting, "rendezvous-secret", "", "secret that holds the rendezvous' Redis URL under the key url")
	f.StringVar(&j.Accounts, "accounts-secret", "", "secret that holds the accounts under the key accounts.csv")
	f.StringArrayVar(&files, "file", nil, "targets or profile file that the run names; again for another")
	return cmd
}

func newFleetRunCmd(s streams) *cobra.Command {
	o := harness.Options{}
	var engine, why string
	var workers, maxLost int
	cmd := &cobra.Command{
		Use: "run SCENARIO", Short: "Run a scenario with several members, merge and judge it", Args: cobra.ExactArgs(1),
		Long:    "Run one scenario with several members. --engine local starts them as child\nprocesses here, for CI and rehearsal; elsewhere, apply what vitals fleet render\nwrites, or start vitals run --member by any other means, and use vitals merge.",
		Example: "  vitals fleet run normal --engine local --workers 4 --because rehearsal --pace quick",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case engine != "local":
				return exit.Errorf(exit.Usage, "--engine %s: want local", engine)
			case workers < 1:
				return exit.Errorf(exit.Usage, "--workers %d: want at least 1", workers)
			case why == "":
				return exit.Errorf(exit.Usage, "processes of one machine send no more than one of them: say --because %s", strings.Join(because, "|"))
			}
			binary, err := os.Executable()
			if err != nil {
				return exit.Errorf(exit.NoSystem, "find this binary, which is also the members: %w", err)
			}
			o.Scenarios, o.Binary, o.Tool, o.Command = args, binary, tool(), os.Args
			p, err := harness.Read(o)
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			drain, kill, stop := interruptible(cmd.Context(), s.Err)
			defer stop()
			d, err := harness.RunLocal(drain, kill, p, workers, maxLost, harness.Streams{Out: s.Out, Err: s.Err})
			if err != nil {
				return err
			}
			if d.Exit != exit.Pass {
				return exit.Said(d.Exit)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&engine, "engine", "local", "local: child processes of this machine")
	f.IntVar(&workers, "workers", 2, "members")
	f.IntVar(&maxLost, "max-lost", 0, "members that may be lost without ending the run; such a run never passes")
	f.StringVar(&why, "because", "", "why more than one: "+strings.Join(because, ", "))
	stackFlag(f, &o.Stack)
	urlFlag(f, &o.URL)
	accountsFlag(f, &o.Accounts)
	paceFlag(f, &o.Pace)
	targetsFlag(f, &o.Targets)
	profileFlag(f, &o.Profile)
	ownFlag(f, &o.Own)
	seedFlag(f, &o.Seed)
	f.StringVar(&o.Out, "out", "out", "folder for the merged document, and members/ with each member's own")
	o.Replicas = 1
	return cmd
}

// meeting opens the rendezvous that the flags name.
func meeting(file, run string) (*rendezvous.Meeting, error) {
	if file == "" {
		return nil, errors.New("no rendezvous: name the file with its URL (--rendezvous-file)")
	}
	url, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return rendezvous.Open(string(url), run)
}

func newFleetStatusCmd(s streams) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "status RUN", Short: "How a run at a rendezvous stands", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := meeting(file, args[0])
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			defer m.Close()
			st, err := m.Status(cmd.Context())
			if err != nil {
				return exit.With(exit.NoSystem, err)
			}
			fmt.Fprintf(s.Out, "%s: %d ready, %d running, %d finished, lost %v\n", args[0], st.Ready, st.Living, st.Finished, st.Lost)
			if st.Aborted != "" {
				fmt.Fprintln(s.Out, "aborted: "+st.Aborted)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "rendezvous-file", "", "file with the URL of the rendezvous' Redis")
	return cmd
}

func newFleetAbortCmd(s streams) *cobra.Command {
	var file, reason string
	cmd := &cobra.Command{
		Use: "abort RUN", Short: "Stop every member of a run at a rendezvous", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := meeting(file, args[0])
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			defer m.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
			defer cancel()
			if err := m.Abort(ctx, reason); err != nil {
				return exit.With(exit.NoSystem, err)
			}
			fmt.Fprintln(s.Out, args[0]+": every member was told to stop")
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "rendezvous-file", "", "file with the URL of the rendezvous' Redis")
	cmd.Flags().StringVar(&reason, "reason", "stopped by hand", "what the members and the report say")
	return cmd
}
