package history

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
	"vitals/internal/exit"
)

// Short says what the nights of the newest level are too few for; "" when they are not.
func (s *Series) Short() string {
	n := len(s.Nights) - s.current()
	if !baseline.Logarithmic(s.Metric) || n >= stats.LeastNights {
		return ""
	}
	of := ""
	if s.current() > 0 {
		of = " since the accepted change"
	}
	words := fmt.Sprintf("%s%s: two newest nights are held to those before them from %d on", nights(n), of, stats.LeastNights)
	if len(s.Nights) < stats.LeastSessions {
		words += fmt.Sprintf(", and vitals compare --history learns the noise from %d", stats.LeastSessions)
	}
	return words
}

// Missing says which nights are in no series of p95, and why: a line for each scenario,
// load and kind of machine. A night that has other figures lacks it for want of answers.
func (s *Store) Missing() (out []string) {
	type kind struct{ class, scenario, load string }
	var kinds []kind
	all, with := map[kind][]string{}, map[kind]map[string]bool{}
	for _, n := range s.Nights {
		k := kind{n.Class, n.Scenario, n.Load}
		if with[k] == nil {
			kinds, with[k] = append(kinds, k), map[string]bool{}
		}
		if !slices.Contains(all[k], n.Session) {
			all[k] = append(all[k], n.Session)
		}
		with[k][n.Session] = with[k][n.Session] || n.Metric == "p95"
	}
	for _, k := range kinds {
		without := slices.DeleteFunc(slices.Clone(all[k]), func(session string) bool { return with[k][session] })
		if len(without) > 0 {
			out = append(out, fmt.Sprintf("p95 %s, environment class %s: %d of %d nights have none, for no run of them had the 1000 answers that a p95 needs: session %s",
				k.scenario, k.class, len(without), len(all[k]), strings.Join(without, ", ")))
		}
	}
	return out
}

// leftOut is what of a session is in no series, and why.
func leftOut(f *baseline.File) []string {
	out := f.LeftOut()
	whole := func(why string) bool { return strings.Contains(why, ": no valid run: ") } // tells the reasons already
	if why := f.InvalidRuns(); why != "" && !slices.ContainsFunc(out, whole) {
		out = append(out, why)
	}
	if why := f.CutShort(); why != "" {
		out = append(out, why)
	}
	return out
}

// AcceptIn accepts a change of level in the history of a folder, and says what that
// changes. Its error carries the exit code.
func AcceptIn(w io.Writer, dir, session, reason string, now time.Time) error {
	h, err := Open(dir)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	before := h.Reason(session)
	if err := h.Accept(session, reason, now); err != nil {
		return exit.With(exit.Usage, err)
	}
	first := h.Nights[slices.IndexFunc(h.Nights, func(n Night) bool { return n.Session == session })]
	build := ""
	if first.Rev != "" {
		build = fmt.Sprintf(", revision %.12s", first.Rev)
	}
	fmt.Fprintf(w, "accepted: the level changed with session %s (%s%s): %s\n", session, first.Time.Format(time.DateOnly), build, reason)
	if before != "" {
		fmt.Fprintf(w, "  this reason is shown in place of the earlier one: %s\n", before)
	}
	for _, s := range h.Series() {
		at := slices.IndexFunc(s.Nights, func(n Night) bool { return n.Session == session })
		if at < 0 || !slices.Contains(shownByDefault, s.Metric) || !baseline.Logarithmic(s.Metric) {
			continue
		}
		words := fmt.Sprintf("later nights are held to the %d from it on, no longer to the %d before it", len(s.Nights)-at, at)
		if at == 0 {
			words = "nothing lies before it, so nothing changes"
		}
		fmt.Fprintf(w, "  %s %s: %s\n", s.Metric, s.Scenario, words)
		if short := s.Short(); short != "" {
			fmt.Fprintf(w, "    %s\n", short)
		}
	}
	fmt.Fprintf(w, "  kept in %s, where both levels stay to be seen\n", h.path)
	return nil
}

// nights is a count of them.
func nights(n int) string {
	if n == 1 {
		return "1 night"
	}
	return fmt.Sprintf("%d nights", n)
}
