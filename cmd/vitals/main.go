// Command vitals puts an HTTP API under realistic load, judges latency, rate,
// errors, CPU and lockout against written targets, and leaves a baseline that
// the next version is compared with.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/strict"
)

// streams are the program's own: stdout is the answer, stderr is the talk.
type streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// talk is where a run speaks.
func (s streams) talk() harness.Streams { return harness.Streams{Out: s.Out, Err: s.Err} }

func main() {
	// Whoever reads our output may go away (2>&1 | head): a write then fails, and the
	// run goes on. Caught and not ignored, for children would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run is the whole program without the process around it.
func run(ctx context.Context, args []string, s streams) int {
	root := newRootCmd(s)
	root.SetArgs(args)
	begun := false // the arguments were understood
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	err := root.ExecuteContext(ctx)
	if err != nil && !begun {
		err = exit.With(exit.Usage, err)
	}
	if words := exit.Complaint(err); words != "" {
		fmt.Fprintln(s.Err, "vitals: "+words)
	}
	return exit.Code(err)
}

func newRootCmd(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "vitals",
		Short: "Check on the wire what a document promises",
		Long: `Vitals puts an HTTP API under the normal, peak, stress and spike scenarios, judges
p95 latency, requests per second, errors, CPU and lockout behaviour against
written targets, and leaves a baseline report that the next version is compared
with. No number is reported that was not honestly measured.

` + exit.Table,
		Example:       "  vitals run                       all four scenarios against the embedded reference API\n  vitals run peak --stack containers\n  vitals report out/document.json\n  vitals compare old/baseline.json out/baseline.json",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			var names []string
			c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
			if near, ok := strict.Nearest(unknown.GetSpecifiedName(), names); ok {
				err = fmt.Errorf("%w (did you mean --%s?)", err, near)
			}
		}
		return exit.Errorf(exit.Usage, "%w\nTry: %s --help", err, c.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.Version = tool()
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(newRunCmd(s), newReportCmd(s), newCompareCmd(s), newDuetCmd(s), newHistoryCmd(s), newCapacityCmd(s), newMergeCmd(s), newFleetCmd(s), newValidateCmd(s), newAuditCmd(s), newInitCmd(s), newProbeCmd(s), newServeCmd(s), newVersionCmd(s))
	root.AddCommand(newDoctorCmd(s), newManCmd(s))
	for _, c := range root.Commands() {
		for _, c := range append(c.Commands(), c) {
			strict.Once(c.Flags())
		}
	}
	return root
}
