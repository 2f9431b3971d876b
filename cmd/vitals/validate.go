package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vitals/internal/profile"
	"vitals/scenarios"
	"vitals/targets"
)

func newValidateCmd(s streams) *cobra.Command {
	o := runOptions{replicas: 1, dry: true}
	cmd := &cobra.Command{
		Use:   "validate [SCENARIO…]",
		Short: "Check scenario, target and profile files, and print what will be used, without load",
		Long: `Read the scenarios (built-in names or files), the targets and the profile as vitals
run would, and print what it would do with them. Every mistake is told at once,
with its place and the nearest right spelling; the exit code is then 2.`,
		Example: `  vitals validate morning.yaml
  vitals validate smoke --profile mine.yaml --targets mine-targets.yaml`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.scenarios = args
			p, err := newPlan(o)
			if err != nil {
				return &exit{exitUsage, err}
			}
			if err := printPlan(s.Out, o, p); err != nil {
				return &exit{exitNoAnswer, fmt.Errorf("print the plan: %w", err)}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.pace, "pace", "full", "the pace to print: full or quick")
	f.StringVar(&o.targets, "targets", "production", "targets to check: "+strings.Join(targets.Names(), ", ")+", or a file")
	f.StringVar(&o.profile, "profile", "", "another API's paths and fields: "+strings.Join(profile.Names(), ", ")+", or a file")
	return cmd
}

// printPlan says what a run of the plan would do.
func printPlan(w io.Writer, o runOptions, p plan) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	for i, sc := range p.scenarios {
		if i > 0 {
			line("")
		}
		load := sc.At(o.pace)
		line("%s: %s", sc.Name, sc.About)
		line("  load      %s, %s pace, %v, judged over %v; about %d accounts", load.Model, o.pace, load.Total(), load.Window(), scenarios.Needed(o.pace, sc))
		for _, st := range load.Stages {
			line("  stage     %-12s %v: %g to %g%s", st.Name, st.For, st.From, st.To, map[bool]string{true: ", judged"}[st.Judged])
		}
		steps := func(what string, ss ...*scenarios.Step) {
			for _, s := range ss {
				if s != nil && s.Path != "" {
					line("  %-9s %s: %s", what, s.Name, request(s))
				}
			}
		}
		steps("account", &sc.Accounts.SignIn, sc.Accounts.Refresh, sc.Accounts.SignOut)
		for _, j := range sc.Journeys {
			line("  journey   %s: think %v to %v", j.Name, j.Think.From, j.Think.To)
			for _, t := range j.Tasks {
				line("    %3d ×   %s", max(1, t.Weight), t.Name)
				for i := range t.Steps {
					line("              %s", request(&t.Steps[i]))
				}
			}
		}
		for _, in := range sc.Intruder {
			line("  intruder  %s: %s, after %v", in.Name, in.Kind, in.After)
		}
		for _, t := range slices.Concat(p.targets, sc.Targets) {
			if t.Asked(sc.Name) {
				line("  target    %s", t.Text)
			}
		}
		for _, t := range sc.Abort {
			line("  abort     %s", t.Text)
		}
		for _, n := range p.notes[sc] {
			line("  note      %s", n)
		}
		line("  sha256    %s", sc.SHA256)
	}
	return errors.Join(errs...)
}

// request is a step in one line: never a body, which may be long.
func request(s *scenarios.Step) string {
	text := cmp.Or(s.Method, "GET") + " " + s.Path
	if len(s.Expect.Status) == 0 {
		return text + ", any 2xx"
	}
	return text + ", " + strings.Trim(fmt.Sprint(s.Expect.Status), "[]")
}
