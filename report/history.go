package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"vitals/internal/atomicfile"
	"vitals/internal/baseline/history"
	"vitals/internal/baseline/stats"
)

//go:embed assets/history.html
var historyPage string

var historyTemplate = template.Must(template.Must(pageTemplate.Clone()).New("history").Parse(historyPage))

type htmlHistory struct {
	CSP     template.HTML
	CSS     template.CSS
	Span    string
	Missing []string // nights that are in no series of p95
	Confirm []string // the duets that would
	Series  []htmlSeries
}

// ShowHistory prints the history of a folder, all of it or what people are shown,
// and leaves it as a page in a file when one is named, as a whole or not at all.
func ShowHistory(w io.Writer, dir string, all bool, file string) error {
	if err := history.Show(w, dir, all); err != nil || file == "" {
		return err
	}
	h, err := history.Open(dir)
	if err != nil {
		return err
	}
	return atomicfile.Write(file, func(w io.Writer) error { return HistoryHTML(w, h, h.Shown(all)) })
}

// HistoryHTML renders the series of a history as one page that needs neither a
// network nor scripts: each figure night by night, with the levels between its
// changes, what is suspected, and what was accepted and why.
func HistoryHTML(w io.Writer, h *history.Store, series []history.Series) error {
	v := htmlHistory{CSP: policy("", ""), CSS: template.CSS(pageCSS), Span: span(h), Missing: h.Missing()}
	for i := range series {
		v.Series = append(v.Series, seriesOf(h, &series[i]))
		for _, f := range series[i].Findings() {
			if f.Fresh() && !slices.Contains(v.Confirm, f.Confirm()) {
				v.Confirm = append(v.Confirm, f.Confirm())
			}
		}
	}
	if err := historyTemplate.Execute(w, v); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

// span is from when to when the history reaches.
func span(h *history.Store) string {
	var first, last time.Time
	sessions := map[string]bool{}
	for _, n := range h.Nights {
		sessions[n.Session] = true
		if first.IsZero() || n.Time.Before(first) {
			first = n.Time
		}
		if n.Time.After(last) {
			last = n.Time
		}
	}
	return fmt.Sprintf("%d sessions, %s to %s", len(sessions), first.Format(time.DateOnly), last.Format(time.DateOnly))
}

// nightsOf is the series as a table, the newest night first.
func nightsOf(s *history.Series) htmlGrid {
	word := func(text string) htmlCell { return htmlCell{Text: strip(text), Words: true} }
	g := htmlGrid{Title: "nights of " + s.Metric + " " + s.Scenario, Head: []htmlCell{word("night"), word("session"), word("revision"), {Text: s.Metric}, {Text: "runs"}}}
	for _, n := range slices.Backward(s.Nights) {
		g.Rows = append(g.Rows, []htmlCell{
			word(n.Time.Format("2006-01-02 15:04")), word(n.Session), word(fmt.Sprintf("%.12s", n.Rev)), {Text: s.Figure(n.Mean)}, {Text: fmt.Sprint(n.K)},
		})
	}
	return g
}

// historySVG draws a series, a dot for each night, with the median of each level
// and a line where one begins.
func historySVG(s *history.Series, found []history.Finding) template.HTML {
	low, high := s.Range(s.Nights)
	x := func(i float64) float64 { return svgLeft + plotWidth*(i+0.5)/float64(len(s.Nights)) }
	y := func(v float64) float64 { return plotBottom - plotHeight*(v-low)/(high-low) }
	var d svg
	for i := range gridLinesAcross + 1 {
		v := low + (high-low)*float64(i)/gridLinesAcross
		d.line("grid", svgLeft, y(v), plotRight, y(v))
		d.text("tick end", svgLeft-5, y(v)+4, s.Figure(v))
	}
	for _, i := range []int{0, (len(s.Nights) - 1) / 2, len(s.Nights) - 1} {
		d.text("tick mid", max(x(float64(i)), svgLeft+20), svgHigh-6, s.Nights[i].Time.Format("01-02"))
	}
	starts := []int{0}
	for _, f := range found {
		mark, class := "change", "limit"
		switch {
		case f.Accepted:
			mark, class = "accepted", "line c3 dash"
		case f.Suspect:
			mark, class = "suspect", "line c7 dash"
		}
		at := x(float64(f.At) - 0.5)
		d.line(class, at, svgTop, at, plotBottom)
		d.text("phase", at+3, svgTop-4, fmt.Sprintf("%s %+.1f %%", mark, 100*f.Step))
		starts = append(starts, f.At)
	}
	slices.Sort(starts)
	for k, from := range starts {
		to := len(s.Nights)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		var level []float64
		for _, n := range s.Nights[from:to] {
			level = append(level, n.Mean)
		}
		if len(level) > 0 {
			m := stats.Median(level)
			d.line("line c8", x(float64(from)-0.4), y(m), x(float64(to)-0.6), y(m))
		}
	}
	for i, n := range s.Nights {
		fmt.Fprintf(&d, `<circle class="c0" cx="%.1f" cy="%.1f" r="2.5" stroke-width="2" fill="none"><title>%s</title></circle>`, x(float64(i)), y(n.Mean),
			template.HTMLEscapeString(strip(fmt.Sprintf("%s, session %s: %s of %d runs", n.Time.Format(time.DateOnly), n.Session, s.Figure(n.Mean), n.K))))
	}
	words := []string{fmt.Sprintf("%s of %s over %d nights, the newest %s", s.Metric, s.Scenario, len(s.Nights), s.Figure(s.Nights[len(s.Nights)-1].Mean))}
	for _, f := range found {
		words = append(words, f.Words())
	}
	return d.whole(strings.Join(words, "; "))
}
