package slots

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/gate"
	"vitals/internal/baseline/stats"
	"vitals/internal/duet"
	"vitals/internal/exit"
	"vitals/internal/harness"
	"vitals/internal/stack"
	"vitals/report"
)

// Options are what a user asks of a duet.
type Options struct {
	Run              harness.Options // what both arms share
	Base, Cand       string          // API images, vitals programs or git revisions
	BaseURL, CandURL string          // instead: deployments that are up
	Warmup, Measure  time.Duration   // of each run
	Looks            []int           // numbers of pairs after which to look
	Qualify          bool            // run Base against itself, and keep what this machine can see
	State            string          // folder of qualifications
	Compare          gate.Options
}

// Play checks what was asked for, plays the duet, keeps what it measured and prints
// the comparison. It drains when drain ends and stops at once with kill. Its error
// carries the exit code.
func Play(drain, kill context.Context, o Options, s harness.Streams) error {
	compare, err := o.check()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	release, err := stack.Output(o.Run.Out)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }() // what stays locked is no one's
	r := &Runner{Options: o.Run, Kill: kill, Out: o.Run.Out, Measure: harness.Window{Measure: o.Measure}}
	for _, arm := range []struct {
		build    *Build
		ref, url string
	}{{&r.Base, o.Base, o.BaseURL}, {&r.Cand, o.Cand, o.CandURL}} {
		if arm.url != "" {
			*arm.build = Build{URL: arm.url, Subject: baseline.Subject{Ref: arm.url}}
			continue
		}
		b, cleanup, err := Resolve(drain, arm.ref)
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
	if !o.Qualify && o.Base == o.Cand && o.BaseURL == o.CandURL {
		fmt.Fprintf(s.Err, "vitals: both arms are %s: what differs is noise (--qualify keeps it as this machine's)\n", o.Base+o.BaseURL)
	}
	now := time.Now()
	p := duet.Options{
		Looks: o.Looks, Warmup: o.Warmup, Measure: o.Measure, Seed: o.Run.Seed, Note: o.Run.Note, Fixed: o.Qualify,
		Session: now.UTC().Format("20060102T150405Z") + fmt.Sprintf("-%d", os.Getpid()),
		Subject: [2]baseline.Subject{r.Base.Subject, r.Cand.Subject}, Run: r.Run,
		Compare: compare,
		Tell:    func(p duet.Progress) { fmt.Fprint(s.Err, p.Lines()) },
	}
	qualified := func(class string) (*duet.Qualification, error) { return duet.ReadQualification(o.State, class, now) }
	if !o.Qualify {
		p.Qualified = qualified
	}
	out, err := duet.Play(drain, p)
	if err := errors.Join(err, keepDuet(o, r, out, err)); err != nil {
		if _, tooFine := errors.AsType[*duet.TooFine](err); tooFine {
			return exit.With(exit.Usage, err)
		}
		return err
	}
	if o.Qualify {
		return o.keepQualification(s, out, qualified, now)
	}
	return o.Compare.Tell(out.Comparison, s.Out, s.Err)
}

// check reports all that is wrong with the flags, and how the builds are compared.
func (o *Options) check() (baseline.Options, error) {
	tolerance, err := o.Compare.Check()
	errs := []error{err, (&harness.Window{Warmup: o.Warmup, Measure: o.Measure}).Check(), harness.Writable(o.Run.Out)}
	urls := o.BaseURL != "" || o.CandURL != ""
	if o.Qualify && o.Cand == "" && o.CandURL == "" {
		o.Cand, o.CandURL = o.Base, o.BaseURL
	}
	switch {
	case urls && (o.Base != "" || o.Cand != ""):
		errs = append(errs, errors.New("--base-url and --cand-url are instead of --base and --cand"))
	case urls && (o.BaseURL == "" || o.CandURL == ""):
		errs = append(errs, errors.New("a duet needs both --base-url and --cand-url"))
	case !urls && (o.Base == "" || o.Cand == ""):
		errs = append(errs, errors.New("a duet needs --base and --cand: an API image, a vitals program or a git revision"))
	case o.Qualify && (o.Base != o.Cand || o.BaseURL != o.CandURL):
		errs = append(errs, errors.New("--qualify runs one build against itself: give --base alone"))
	}
	if err := stats.Looks(o.Looks).Check(); err != nil {
		errs = append(errs, fmt.Errorf("--looks: %w", err))
	} else if o.Qualify {
		o.Looks = o.Looks[len(o.Looks)-1:]
	}
	if len(o.Run.Scenarios) == 0 {
		o.Run.Scenarios = []string{"normal"}
	}
	names, err := o.Run.ScenarioNames()
	c := baseline.Options{Tolerance: tolerance}
	if errs = append(errs, err); err == nil {
		c.Explain, err = gate.Explained(o.Compare.Gate, names)
		errs = append(errs, err)
	}
	return c, errors.Join(errs...)
}

// keepDuet writes what was measured, of a duet that ended by an error as well: that is
// partial, and decides nothing.
func keepDuet(o Options, r *Runner, out *duet.Outcome, ended error) error {
	if out == nil || out.Comparison == nil {
		return nil
	}
	d := r.Document(out.Comparison)
	d.Exit = o.Compare.Policy.Exit(out.Comparison.Verdict)
	switch v := out.Comparison.Verdict; {
	case ended != nil:
		d.Partial, d.Verdict, d.Exit = true, report.Invalid, exit.NoAnswer
		if code := exit.Code(ended); code == exit.Interrupted || errors.Is(ended, context.Canceled) {
			d.Exit = exit.Interrupted
		}
	case v == baseline.OverallWorse:
		d.Verdict = report.Fail
	case v == baseline.OverallPass:
		d.Verdict = report.Pass
	case v == baseline.OverallInvalid:
		d.Verdict = report.Invalid
	default:
		d.Verdict = report.Inconclusive
	}
	return errors.Join(
		baseline.Write(filepath.Join(o.Run.Out, "base.json.gz"), out.Base),
		baseline.Write(filepath.Join(o.Run.Out, "cand.json.gz"), out.Cand),
		report.Write(filepath.Join(o.Run.Out, "document.json"), d),
	)
}

// keepQualification keeps a duet of a build with itself, and says what it means.
func (o *Options) keepQualification(s harness.Streams, out *duet.Outcome, read func(string) (*duet.Qualification, error), now time.Time) error {
	q, err := read(duet.Class(out.Base))
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	a := duet.AADuet{At: now.UTC().Truncate(time.Second), Ref: o.Base + o.BaseURL, Ratios: out.Spread()}
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
	if why := q.Refused(); why != "" {
		return exit.With(exit.NoAnswer, errors.New(why))
	}
	if len(a.Alarms) > 0 {
		fmt.Fprintln(s.Err, "vitals: warning: a build was told apart from itself, which happens in 5 of 100 qualifications at most:\n  "+strings.Join(a.Alarms, "\n  "))
	}
	return nil
}
