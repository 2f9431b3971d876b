package main

import (
	"github.com/spf13/cobra"

	"vitals/internal/doctor"
	"vitals/internal/exit"
)

// newDoctorCmd is `vitals doctor`.
func newDoctorCmd(s streams) *cobra.Command {
	var o doctor.Options
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this machine lacks for a run, and what to do",
		Long: `Look at the processor and what keeps it busy, the clock, descriptors, ports,
memory and folders, Docker and its images, and the programs that parts of Vitals
start. What keeps the stack from running is missing; a note makes figures worse or
a part of Vitals unavailable. Nothing is started, pulled or sent.

Exit code 0: nothing is missing; 4: something is.`,
		Example: "  vitals doctor\n  vitals doctor --stack containers",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Stack != "embedded" && o.Stack != "containers" {
				return exit.Errorf(exit.Usage, "--stack %s: want embedded or containers", o.Stack)
			}
			return doctor.Tell(s.Out, doctor.Examine(cmd.Context(), o), "the "+o.Stack+" stack cannot run here as it is")
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Stack, "stack", "embedded", "the stack that is to run: embedded or containers")
	imageFlags(f, &o.Images)
	return cmd
}
