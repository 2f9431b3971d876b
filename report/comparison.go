package report

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/baseline"
)

// Comparison renders two baselines side by side, in the style that w asks for.
func Comparison(w io.Writer, c *baseline.Comparison) error {
	return ComparisonText(StyleOf(w, os.Getenv), w, c)
}

// ComparisonText renders two baselines side by side in a given style.
func ComparisonText(s Style, w io.Writer, c *baseline.Comparison) error {
	p := &page{Style: s}
	p.comparison(c)
	if p.err != nil {
		return p.err
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (p *page) comparison(c *baseline.Comparison) {
	p.line("")
	p.line("%s", p.paint(bold, "comparison"))
	p.wrap("  old  ", side(c.Old))
	p.wrap("  new  ", side(c.New))
	for _, why := range unmet(c) {
		for _, l := range p.wrapped("  ! ", why) {
			p.line("%s", p.paint(yellow, l))
		}
	}
	for _, n := range c.Notes {
		p.wrap("  · ", n)
	}
	p.line("")
	for _, l := range VerdictLines(c) {
		p.wrap("  ", l)
	}
	g, notes := compared(c)
	p.line("")
	p.grid(g)
	for _, n := range notes {
		p.wrap("   · ", n)
	}
	p.grid(shifted(c))
}

// VerdictLines are the rows that gate, one line each, the verdict of the whole,
// and what would decide where it is open. Every form of the report says them.
func VerdictLines(c *baseline.Comparison) (out []string) {
	for _, r := range c.Rows {
		if r.Gating {
			out = append(out, r.Line())
		}
	}
	for _, r := range c.Rows {
		if l := r.RatesLine(); l != "" && r.Metric == "p95" {
			out = append(out, l)
		}
	}
	verdict := "verdict: " + strings.ToUpper(strings.ReplaceAll(string(c.Verdict), "_", " "))
	gating := func(r baseline.Row) bool { return r.Gating }
	switch {
	case len(c.Refused) > 0:
		verdict += ": " + strings.Join(c.Refused, "; ")
	case len(c.Reasons) > 0 && (c.Verdict == baseline.OverallInvalid || !slices.ContainsFunc(c.Rows, gating)): // no line above tells why
		verdict += ": " + c.Reasons[0]
	}
	out = append(out, verdict)
	if c.Decides != "" {
		out = append(out, "to decide: "+c.Decides)
	}
	return out
}

// unmet are the differences of the machines that were allowed.
func unmet(c *baseline.Comparison) (out []string) {
	for _, m := range c.Unmet {
		out = append(out, "unlike machines, never to be judged: "+m.Field+" is "+m.Old+" in the old file and "+m.New+" in the new")
	}
	return out
}

// compared are the figures side by side, and what has to be said of some.
func compared(c *baseline.Comparison) (g grid, notes []string) {
	g.cols = []column{
		{title: "scenario", words: true}, {title: "figure", words: true}, {title: "old"}, {title: "new"},
		{title: "difference"}, {title: "runs", spare: 1}, {title: "verdict", words: true},
	}
	last := ""
	for _, r := range c.Rows {
		figure, scenario := r.Metric, ""
		if r.Endpoint != "" {
			figure += "(" + r.Endpoint + ")"
		}
		if r.Scenario != last {
			scenario, last = r.Scenario, r.Scenario
		}
		g.rows = append(g.rows, append([]string{scenario, figure}, cells(r)...))
		if r.Note != "" && r.Interval == nil && !r.Gating { // those that gate are told in their lines
			notes = append(notes, r.Scenario+" "+figure+": "+r.Note)
		}
	}
	return g, notes
}

func side(s baseline.Side) string {
	build := ""
	switch b := s.Subject; {
	case b.GitRev != "":
		build = "revision " + b.GitRev
	case b.Image != "":
		build = "image " + b.Image
	case b.Ref != "":
		build = b.Ref
	case b.Binary != "":
		build = "program sha256 " + b.Binary[:min(12, len(b.Binary))]
	}
	return listed(build, "taken "+s.Started, "session "+s.Session, "machine class "+s.Class, s.Note)
}

// cells are old, new, difference, runs and verdict.
func cells(r baseline.Row) []string {
	old, new, delta := "–", "–", "–"
	if r.OldRuns > 0 {
		old = inUnit(r.Unit, r.Old)
	}
	if r.NewRuns > 0 {
		new = inUnit(r.Unit, r.New)
	}
	if r.OldRuns > 0 && r.NewRuns > 0 {
		delta = difference(r)
	}
	return []string{old, new, delta, count(int64(r.OldRuns)) + "/" + count(int64(r.NewRuns)), r.Word()}
}

func inUnit(u baseline.Unit, v float64) string {
	switch u {
	case baseline.Micros, baseline.CPUMicros:
		return took(time.Duration(v * float64(time.Microsecond)))
	case baseline.Share:
		return percent(v)
	case baseline.PerSecond:
		return perSecond(v)
	case baseline.Bytes:
		return number(float64(int64(v/(1<<20)))) + " MiB"
	}
	return number(v)
}

// difference is signed; that of shares is in points.
func difference(r baseline.Row) string {
	d := max(r.Delta, -r.Delta)
	text := inUnit(r.Unit, d)
	switch {
	case r.Ratio:
		text = strconv.FormatFloat(100*d, 'f', 1, 64) + "%"
	case r.Unit == baseline.Share:
		text = strconv.FormatFloat(100*d, 'f', 3, 64) + " pp"
	}
	switch {
	case strings.Trim(text, "0. %p") == "": // nothing is left of it
		return text
	case r.Delta < 0:
		return "-" + text
	}
	return "+" + text
}
