package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"vitals/internal/exit"
)

// newManCmd is `vitals man`, for those who make packages.
func newManCmd(streams) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the manual pages into a folder", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return exit.Errorf(exit.Usage, "man: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // a build gives the same bytes every day
			header := &doc.GenManHeader{Title: "VITALS", Section: "1", Source: tool(), Manual: "Vitals"}
			return exit.With(exit.Usage, doc.GenManTree(root, header, args[0]))
		},
	}
}
