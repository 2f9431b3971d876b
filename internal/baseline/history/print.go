package history

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/exit"
)

// shownByDefault are the metrics that are shown though nothing happened.
var shownByDefault = []string{"p95", "errors"}

// Show prints the series of a folder: those that gate or changed, or all, with what
// the newest nights suspect. Its error carries the exit code.
func Show(w io.Writer, dir string, all bool) error {
	h, err := Open(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	if len(h.Nights) == 0 {
		return exit.Errorf(exit.NoAnswer, "no session in %s yet: vitals history add %s BASELINE", dir, dir)
	}
	var fresh []string
	for _, series := range h.Shown(all) {
		found := series.Findings()
		fmt.Fprintf(w, "\n%s %s, %s\n%s", series.Metric, series.Scenario, series.About(), series.Plot(80))
		if short := series.Short(); short != "" {
			fmt.Fprintln(w, "  "+short)
		}
		for _, f := range found {
			fmt.Fprintln(w, "  "+f.Words())
			if cmd := f.Confirm(); f.Fresh() && !slices.Contains(fresh, cmd) {
				if left := f.duet().Unnamed(); left != "" {
					fmt.Fprintln(w, "  "+left)
				}
				fresh = append(fresh, cmd)
			}
		}
	}
	for i, words := range h.Missing() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, words)
	}
	for _, cmd := range fresh {
		fmt.Fprintln(w, "\nto confirm: "+cmd)
	}
	return nil
}

// Shown are the series that people are shown: those that gate or that changed,
// or all.
func (s *Store) Shown(all bool) (out []Series) {
	for _, series := range s.Series() {
		if all || slices.Contains(shownByDefault, series.Metric) || len(series.Findings()) > 0 {
			out = append(out, series)
		}
	}
	return out
}

// AddFiles appends all sessions that can be, and reports all that cannot. A folder
// that is not there is begun by the first session.
func AddFiles(w io.Writer, dir string, files []string) error {
	h, err := read(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	var errs []error
	for _, path := range files {
		f, err := baseline.Open(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n, err := h.Add(f)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
			continue
		}
		fmt.Fprintf(w, "session %s: %d figures\n", f.Session.ID, n)
		for _, why := range leftOut(f) {
			fmt.Fprintln(w, "  left out: "+why)
		}
	}
	switch err := errors.Join(errs...); {
	case err == nil:
		return nil
	case !slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, errNoRun) }):
		return exit.With(exit.NoAnswer, err) // nobody made a mistake: it was not measured
	default:
		return baseline.Refusal(err)
	}
}

// List prints the sessions of a folder.
func List(w io.Writer, dir string) error {
	h, err := Open(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	seen := map[string]bool{}
	for _, n := range h.Nights {
		if seen[n.Session] {
			continue
		}
		seen[n.Session] = true
		line := fmt.Sprintf("%s  %-18s  class %s  %.12s", n.Time.Format(time.RFC3339), n.Session, n.Class, n.Rev)
		for _, a := range h.Accepted {
			if a.Session == n.Session {
				line += "  accepted: " + a.Reason
			}
		}
		fmt.Fprintln(w, line)
	}
	return nil
}
