// Package gate compares stored runs as a build's gate: which figures may fail it,
// what is tolerated, and what an undecided comparison is.
package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
	"vitals/internal/exit"
	"vitals/internal/strict"
	"vitals/report"
)

// Options are what a user asks for.
type Options struct {
	AllowEnvMismatch bool     // show figures from unlike machines all the same, never judged
	History          string   // folder of nightly sessions, whose noise is learned; "" = none
	Policy           Policy   // what an undecided comparison is
	Gate             []string // scenarios that gate; nil = the default
	Tolerance        []string // METRIC=PERCENT
	Format           string   // text or json
}

// Files compares two baseline files, or the folders that hold them, and prints the
// comparison. Its error carries the exit code.
func Files(ctx context.Context, oldFile, newFile string, o Options, out, talk io.Writer) error {
	tolerance, err := o.Check()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	older, err1 := baseline.Open(oldFile)
	newer, err2 := baseline.Open(newFile)
	if err := errors.Join(err1, err2); err != nil {
		return baseline.Refusal(err)
	}
	c, err := o.compare(ctx, older, newer, tolerance)
	if err != nil {
		return err
	}
	return o.Tell(c, out, talk)
}

// Compare compares two baselines. Its error carries the exit code.
func (o Options) Compare(ctx context.Context, older, newer *baseline.File) (*baseline.Comparison, error) {
	tolerance, err := tolerances(o.Tolerance)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return o.compare(ctx, older, newer, tolerance)
}

func (o Options) compare(ctx context.Context, older, newer *baseline.File, tolerance map[string]float64) (*baseline.Comparison, error) {
	var names []string
	for _, sc := range slices.Concat(older.Scenarios, newer.Scenarios) {
		if !slices.Contains(names, sc.Name) {
			names = append(names, sc.Name)
		}
	}
	explained, err := Explained(o.Gate, names)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	opt := baseline.Options{
		AllowEnvMismatch: o.AllowEnvMismatch, Tolerance: tolerance, Now: time.Now(), Commits: baseline.CommitsIn(ctx, "."),
		Explain: explained, Rates: true,
	}
	if o.History != "" {
		h, err := history.Open(o.History)
		if err != nil {
			return nil, exit.With(exit.Usage, err)
		}
		opt.Past = h.Past(older, newer)
	}
	c, err := baseline.Compare(older, newer, opt)
	if err != nil {
		return nil, baseline.Refusal(err)
	}
	c.AsDuet(older.Design.Gate)
	return c, nil
}

// Check reports all that is wrong with the flags.
func (o *Options) Check() (tolerance map[string]float64, err error) {
	tolerance, err = tolerances(o.Tolerance)
	if o.Format != "text" && o.Format != "json" {
		err = errors.Join(err, fmt.Errorf("--format %s: want text or json", o.Format))
	}
	return tolerance, err
}

// Tell prints a comparison and gives it its exit code.
func (o *Options) Tell(c *baseline.Comparison, out, talk io.Writer) error {
	var err error
	if o.Format == "json" {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(c)
	} else {
		err = report.Comparison(out, c)
	}
	if err != nil {
		return exit.Errorf(exit.NoAnswer, "print the comparison: %w", err)
	}
	if code := o.Policy.Exit(c.Verdict); code != exit.Pass {
		return exit.Said(code)
	}
	if c.Verdict == baseline.OverallInconclusive && o.Policy == Warn {
		fmt.Fprintln(talk, "vitals: warning: inconclusive; --inconclusive fail makes this exit 3")
	}
	return nil
}

// tolerances reads METRIC=PERCENT, all mistakes at once.
func tolerances(texts []string) (map[string]float64, error) {
	out := map[string]float64{}
	var errs []error
	for _, text := range texts {
		name, number, ok := strings.Cut(text, "=")
		v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(number), "%")), 64)
		switch {
		case !ok || err != nil || !(v > 0 && v <= 1000): // NaN is in no order
			errs = append(errs, fmt.Errorf("--tolerance %s: want METRIC=PERCENT, as in p95=15%%", text))
		case !slices.Contains(baseline.Metrics(), name):
			errs = append(errs, fmt.Errorf("--tolerance %s: no such metric; want one of %s%s", text, strings.Join(baseline.Metrics(), ", "), strict.Meant(name, baseline.Metrics())))
		case out[name] != 0 && out[name] != v/100:
			errs = append(errs, fmt.Errorf("--tolerance %s: %s has another tolerance already", text, name))
		default:
			out[name] = v / 100
		}
	}
	return out, errors.Join(errs...)
}

// Explained are those of all scenarios that do not gate, given those that do; nil
// without any. A name in gate that no scenario has is an error.
func Explained(gate, all []string) ([]string, error) {
	if len(gate) == 0 {
		return nil, nil
	}
	var errs []error
	for _, name := range gate {
		if !slices.Contains(all, name) {
			errs = append(errs, fmt.Errorf("--gate %s: no such scenario; there are %s%s", name, strings.Join(all, ", "), strict.Meant(name, all)))
		}
	}
	out := []string{}
	for _, name := range all {
		if !slices.Contains(gate, name) {
			out = append(out, name)
		}
	}
	return out, errors.Join(errs...)
}
