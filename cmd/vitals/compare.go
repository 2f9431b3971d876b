package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
	"vitals/internal/exit"
	"vitals/report"
)

// compareOptions are the flags of `vitals compare`.
type compareOptions struct {
	allowEnv  bool
	history   string
	policy    policy
	gate      []string
	tolerance []string
	format    string
}

func newCompareCmd(s streams) *cobra.Command {
	o := compareOptions{policy: policyWarn}
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
files of one duet are compared pair by pair.

` + exit.Table,
		Example: `  vitals compare old/baseline.json out/baseline.json
  vitals compare old/baseline.json out/baseline.json --inconclusive fail --format json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompare(cmd.Context(), s, args[0], args[1], o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.allowEnv, "allow-env-mismatch", false, "show figures from unlike machines all the same, never judged")
	f.StringVar(&o.history, "history", "", "folder of vitals history: the noise between sessions is learned from it")
	comparisonFlags(f, &o)
	return cmd
}

// comparisonFlags are those of every command that compares.
func comparisonFlags(f *pflag.FlagSet, o *compareOptions) {
	f.Var(&o.policy, "inconclusive", "what an undecided comparison is: "+policyWords)
	f.StringSliceVar(&o.gate, "gate", nil, "scenarios that gate (default: all but stress, spike and siege)")
	f.StringArrayVar(&o.tolerance, "tolerance", nil, "smallest change that matters, METRIC=PERCENT, as in p95=15%; again for another")
	f.StringVar(&o.format, "format", "text", "text or json")
}

func runCompare(ctx context.Context, s streams, oldFile, newFile string, o compareOptions) error {
	tolerance, err := o.check()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	older, err1 := baseline.Open(oldFile)
	newer, err2 := baseline.Open(newFile)
	if err := errors.Join(err1, err2); err != nil {
		return refusal(err)
	}
	opt := baseline.Options{
		AllowEnvMismatch: o.allowEnv, Tolerance: tolerance, Now: time.Now(), Commits: baseline.CommitsIn(ctx, "."),
		Explain: explained(o.gate, older, newer), Rates: true,
	}
	if o.history != "" {
		h, err := history.Open(o.history)
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		opt.Past = h.Past(older, newer)
	}
	c, err := baseline.Compare(older, newer, opt)
	if err != nil {
		return refusal(err)
	}
	return s.tell(c, o.format, o.policy)
}

// check reports all that is wrong with the flags.
func (o *compareOptions) check() (tolerance map[string]float64, err error) {
	tolerance, err = tolerances(o.tolerance)
	if o.format != "text" && o.format != "json" {
		err = errors.Join(err, fmt.Errorf("--format %s: want text or json", o.format))
	}
	return tolerance, err
}

// tell prints a comparison and gives it its exit code.
func (s streams) tell(c *baseline.Comparison, format string, p policy) error {
	var err error
	if format == "json" {
		e := json.NewEncoder(s.Out)
		e.SetIndent("", "  ")
		err = e.Encode(c)
	} else {
		err = report.Comparison(s.Out, c)
	}
	if err != nil {
		return exit.Errorf(exit.NoAnswer, "print the comparison: %w", err)
	}
	if code := p.exit(c.Verdict); code != exit.Pass {
		return exit.Said(code)
	}
	if c.Verdict == baseline.OverallInconclusive && p == policyWarn {
		fmt.Fprintln(s.Err, "vitals: warning: inconclusive; --inconclusive fail makes this exit 3")
	}
	return nil
}

// refusal tells files that cannot be compared (3) from files that cannot be
// read (2).
func refusal(err error) error {
	var no *baseline.NotComparable
	if errors.As(err, &no) {
		return exit.With(exit.NoAnswer, err)
	}
	return exit.With(exit.Usage, err)
}

// policy is what an undecided comparison is to the one who asks.
type policy string

const (
	policyPass policy = "pass"
	policyWarn policy = "warn"
	policyFail policy = "fail"

	policyWords = "pass (exit 0), warn (exit 0, and 3 when a change beyond the tolerance awaits a duet), fail (exit 3)"
)

// String, Set and Type make it a flag.
func (p *policy) String() string { return string(*p) }

// Type is how --help names the value.
func (p *policy) Type() string { return "pass|warn|fail" }

// Set refuses any other word.
func (p *policy) Set(text string) error {
	v := policy(text)
	if !slices.Contains([]policy{policyPass, policyWarn, policyFail}, v) {
		return errors.New("want pass, warn or fail")
	}
	*p = v
	return nil
}

// exit is the exit code of a comparison.
func (p policy) exit(v baseline.Overall) int {
	switch {
	case v == baseline.OverallWorse:
		return exit.Fail
	case v == baseline.OverallNotCompared, v == baseline.OverallInvalid:
		return exit.NoAnswer
	case v == baseline.OverallConfirm && p != policyPass, v == baseline.OverallInconclusive && p == policyFail:
		return exit.NoAnswer
	}
	return exit.Pass
}

// tolerances reads METRIC=PERCENT, all mistakes at once.
func tolerances(texts []string) (map[string]float64, error) {
	out := map[string]float64{}
	var errs []error
	for _, text := range texts {
		name, number, ok := strings.Cut(text, "=")
		v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(number), "%")), 64)
		switch {
		case !ok || err != nil || v <= 0 || v > 1000:
			errs = append(errs, fmt.Errorf("--tolerance %s: want METRIC=PERCENT, as in p95=15%%", text))
		case !slices.Contains(baseline.Metrics(), name):
			errs = append(errs, fmt.Errorf("--tolerance %s: no such metric; want one of %s", text, strings.Join(baseline.Metrics(), ", ")))
		default:
			out[name] = v / 100
		}
	}
	return out, errors.Join(errs...)
}

// explained are the scenarios of files that do not gate, given those that do;
// nil without any.
func explained(gate []string, files ...*baseline.File) []string {
	var all []string
	for _, f := range files {
		for _, sc := range f.Scenarios {
			all = append(all, sc.Name)
		}
	}
	return explainedBut(gate, all)
}

func explainedBut(gate, all []string) []string {
	if len(gate) == 0 {
		return nil
	}
	out := []string{}
	for _, name := range all {
		if !slices.Contains(gate, name) {
			out = append(out, name)
		}
	}
	return out
}
