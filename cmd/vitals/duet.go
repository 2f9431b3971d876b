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

	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
	"vitals/internal/duet"
	"vitals/internal/duet/slots"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/stack"
	"vitals/report"
)

// duetOptions are the flags of `vitals duet`.
type duetOptions struct {
	run              harness.Options
	base, cand       string
	baseURL, candURL string
	warmup, measure  time.Duration
	looks            []int
	qualify          bool
	state            string
	compare          compareOptions
}

func newDuetCmd(s streams) *cobra.Command {
	o := duetOptions{compare: compareOptions{policy: policyWarn}}
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
			o.run.Scenarios = args
			return runDuet(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	systemFlags(f, &o.run)
	f.StringVar(&o.base, "base", "", "the build that is judged against")
	f.StringVar(&o.cand, "cand", "", "the build that is judged")
	f.StringVar(&o.baseURL, "base-url", "", "the same, as deployments that are up")
	f.StringVar(&o.candURL, "cand-url", "", "")
	f.DurationVar(&o.warmup, "warmup", 30*time.Second, "of each run, not measured")
	f.DurationVar(&o.measure, "measure", time.Minute, "measured window of each run")
	f.IntSliceVar(&o.looks, "looks", stats.DefaultLooks(), "numbers of pairs after which to look, three at most")
	f.BoolVar(&o.qualify, "qualify", false, "run --base against itself, and keep what this machine can see")
	f.StringVar(&o.state, "state", stateDir(), "folder of qualifications")
	f.StringVar(&o.run.Out, "out", "out", "folder for the baselines of both builds and the comparison")
	comparisonFlags(f, &o.compare)
	return cmd
}

// stateDir is where what was learned of this machine is kept.
func stateDir() string {
	if dir := os.Getenv("VITALS_STATE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ".vitals"
	}
	return filepath.Join(dir, "vitals")
}

func runDuet(ctx context.Context, s streams, o duetOptions) error {
	tolerance, err := o.check()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	binary, err := os.Executable()
	if err != nil {
		return exit.Errorf(exit.NoSystem, "find this binary, which is also the API: %w", err)
	}
	release, err := stack.Output(o.run.Out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // what stays locked is no one's
	o.run.Binary, o.run.Tool, o.run.Command = binary, tool(), os.Args
	drain, kill, stop := interruptible(ctx, s.Err)
	defer stop()
	r := &slots.Runner{Options: o.run, Kill: kill, Out: o.run.Out, Measure: harness.Window{Measure: o.measure}}
	for _, arm := range []struct {
		build    *slots.Build
		ref, url string
	}{{&r.Base, o.base, o.baseURL}, {&r.Cand, o.cand, o.candURL}} {
		if arm.url != "" {
			*arm.build = slots.Build{URL: arm.url, Subject: baseline.Subject{Ref: arm.url}}
			continue
		}
		b, cleanup, err := slots.Resolve(drain, arm.ref)
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		defer func() {
			if err := cleanup(); err != nil {
				fmt.Fprintln(s.Err, "vitals: clean up:", err)
			}
		}()
		*arm.build = b
	}
	if (r.Base.Image != "" || r.Cand.Image != "") && r.Options.Stack == "" {
		r.Options.Stack = "containers"
	}
	now := time.Now()
	p := duet.Options{
		Looks: o.looks, Warmup: o.warmup, Measure: o.measure, Seed: o.run.Seed, Note: o.run.Note, Fixed: o.qualify,
		Session: now.UTC().Format("20060102T150405Z") + fmt.Sprintf("-%d", os.Getpid()),
		Subject: [2]baseline.Subject{r.Base.Subject, r.Cand.Subject}, Run: r.Run,
		Compare: baseline.Options{Tolerance: tolerance, Explain: explainedBut(o.compare.gate, o.run.Scenarios)},
		Tell:    func(p duet.Progress) { fmt.Fprint(s.Err, p.Lines()) },
	}
	qualified := func(class string) (*duet.Qualification, error) { return duet.ReadQualification(o.state, class, now) }
	if !o.qualify {
		p.Qualified = qualified
	}
	out, err := duet.Play(drain, p)
	if err := errors.Join(err, keepDuet(o, r, out)); err != nil {
		return duetError(err)
	}
	if o.qualify {
		return o.keepQualification(s, out, qualified, now)
	}
	return s.tell(out.Comparison, o.compare.format, o.compare.policy)
}

// check reports all that is wrong with the flags.
func (o *duetOptions) check() (map[string]float64, error) {
	tolerance, err := o.compare.check()
	errs := []error{err, harness.Writable(o.run.Out)}
	urls := o.baseURL != "" || o.candURL != ""
	if o.qualify && o.cand == "" && o.candURL == "" {
		o.cand, o.candURL = o.base, o.baseURL
	}
	switch {
	case urls && (o.base != "" || o.cand != ""):
		errs = append(errs, errors.New("--base-url and --cand-url are instead of --base and --cand"))
	case urls && (o.baseURL == "" || o.candURL == ""):
		errs = append(errs, errors.New("a duet needs both --base-url and --cand-url"))
	case !urls && (o.base == "" || o.cand == ""):
		errs = append(errs, errors.New("a duet needs --base and --cand: an API image, a vitals program or a git revision"))
	case o.qualify && (o.base != o.cand || o.baseURL != o.candURL):
		errs = append(errs, errors.New("--qualify runs one build against itself: give --base alone"))
	}
	if err := stats.Looks(o.looks).Check(); err != nil {
		errs = append(errs, fmt.Errorf("--looks: %w", err))
	} else if o.qualify {
		o.looks = o.looks[len(o.looks)-1:]
	}
	if len(o.run.Scenarios) == 0 {
		o.run.Scenarios = []string{"normal"}
	}
	return tolerance, errors.Join(errs...)
}

// duetError gives what kept a duet from its end an exit code.
func duetError(err error) error {
	var fine *duet.TooFine
	var coded *exit.Error
	switch {
	case errors.As(err, &fine):
		return exit.With(exit.Usage, err)
	case errors.As(err, &coded):
		return exit.With(coded.Code, err)
	}
	return exit.With(exit.NoAnswer, err)
}

// keepDuet writes what was measured, of a duet that was cut short as well.
func keepDuet(o duetOptions, r *slots.Runner, out *duet.Outcome) error {
	if out == nil || out.Comparison == nil {
		return nil
	}
	d := r.Document(out.Comparison)
	d.Exit = o.compare.policy.exit(out.Comparison.Verdict)
	d.Verdict = map[int]string{exit.Pass: report.Pass, exit.Fail: report.Fail}[d.Exit]
	if d.Verdict == "" {
		d.Verdict = report.NoData
	}
	return errors.Join(
		baseline.Write(filepath.Join(o.run.Out, "base.json.gz"), out.Base),
		baseline.Write(filepath.Join(o.run.Out, "cand.json.gz"), out.Cand),
		report.Write(filepath.Join(o.run.Out, "document.json"), d),
	)
}

// keepQualification keeps a duet of a build with itself, and says what it means.
func (o *duetOptions) keepQualification(s streams, out *duet.Outcome, read func(string) (*duet.Qualification, error), now time.Time) error {
	q, err := read(duet.Class(out.Base))
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	a := duet.AADuet{At: now.UTC().Truncate(time.Second), Ref: o.base + o.baseURL, Ratios: out.Spread()}
	for _, row := range out.Comparison.Rows {
		if row.Gating && (row.Change == baseline.Worse || row.Change == baseline.Better) {
			a.Alarms = append(a.Alarms, row.Line())
		}
	}
	if out.Comparison.Verdict == baseline.OverallInvalid {
		return exit.With(exit.NoAnswer, errors.New("nothing is kept: "+strings.Join(out.Comparison.Reasons, "; ")))
	}
	if err := q.Add(a); err != nil {
		return exit.With(exit.NoAnswer, err)
	}
	fmt.Fprint(s.Out, q.Words(stats.DefaultLooks()))
	if len(a.Alarms) > 0 {
		fmt.Fprintln(s.Err, "vitals: warning: a build was told apart from itself, which happens in 5 of 100 qualifications at most:\n  "+strings.Join(a.Alarms, "\n  "))
	}
	return nil
}
