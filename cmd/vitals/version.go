package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	seeded "vitals/server/fault"
)

// release is the version that CHANGELOG.md's newest section is about.
const release = "0.1.0"

// version is stamped by the linker (-X main.version=0.1.0); without that it says
// that nobody released this build.
var version = release + "-dev"

func newVersionCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of vitals", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(s.Out, tool())
			return nil
		},
	}
}

// tool names the program and its version, as every document carries it.
func tool() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == release+"-dev" {
		if m := info.Main.Version; m != "" && m != "(devel)" {
			v = m
		}
	}
	if seeded.Built {
		v += " BROKEN ON PURPOSE (-tags faults): for tests of tests alone"
	}
	return "vitals " + v
}
