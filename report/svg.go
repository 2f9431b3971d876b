package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"vitals/internal/measure"
)

// A chart is there before any script runs, and on paper: as SVG of this size,
// coloured by the page's style sheet.
const (
	svgWide, svgHigh           = 640.0, 220.0
	svgLeft, svgRight          = 54.0, 8.0
	svgTop, svgBottom          = 16.0, 22.0
	plotRight, plotBottom      = svgWide - svgRight, svgHigh - svgBottom
	plotWidth, plotHeight      = plotRight - svgLeft, plotBottom - svgTop
	gridLinesAcross, gridTimes = 4, 6
)

// svg is a drawing that grows.
type svg struct{ strings.Builder }

func (s *svg) text(class string, x, y float64, words string) {
	fmt.Fprintf(s, `<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y, html.EscapeString(strip(words)))
}

func (s *svg) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (s *svg) rect(class string, x, y, w, h float64) {
	fmt.Fprintf(s, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, x, y, max(0, w), max(0, h))
}

// whole is the drawing as an element that a screen reader names.
func (s *svg) whole(label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="still" viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg>`,
		svgWide, svgHigh, html.EscapeString(strip(label)), s.String()))
}

// svg draws one panel of the chart.
func (c *chart) svg(p panel) template.HTML {
	if len(c.X) == 0 {
		return ""
	}
	from, to := 0.0, c.X[len(c.X)-1]
	for _, ph := range c.Phases {
		to = max(to, min(ph.To, c.X[len(c.X)-1]*1.02))
	}
	x := func(at float64) float64 { return svgLeft + plotWidth*(at-from)/max(to-from, 1e-9) }
	top := ceiling(p.top())
	y := func(v float64) float64 { return plotBottom - plotHeight*min(v/top, 1.02) }
	var s svg
	for _, ph := range c.Phases {
		a, b := x(min(ph.From, to)), x(min(ph.To, to))
		if ph.Judged {
			s.rect("judged", a, svgTop, b-a, plotHeight)
		}
		if b-a > 40 {
			s.text("phase", a+3, svgTop-4, ph.Name)
		}
	}
	for i := range gridLinesAcross + 1 {
		v := top * float64(i) / gridLinesAcross
		s.line("grid", svgLeft, y(v), plotRight, y(v))
		s.text("tick end", svgLeft-5, y(v)+4, inPanel(v, p.Unit))
	}
	for i := range gridTimes + 1 {
		at := from + (to-from)*float64(i)/gridTimes
		class := "tick mid"
		if i == gridTimes {
			class = "tick end"
		}
		s.text(class, x(at), svgHigh-6, clockOf(at))
	}
	for _, l := range p.Lines {
		class := fmt.Sprintf("line c%d", l.Color)
		if l.Dash {
			class += " dash"
		}
		fmt.Fprintf(&s, `<path class="%s" d="%s"/>`, class, path(c.X, l.Values, x, y))
	}
	if p.Limit != nil && *p.Limit <= top {
		s.line("limit", svgLeft, y(*p.Limit), plotRight, y(*p.Limit))
	}
	return s.whole(p.words())
}

// path goes through all points that there are; a gap stays a gap.
func path(xs []float64, vs []*float64, x, y func(float64) float64) string {
	var b strings.Builder
	pen := false
	for i, v := range vs {
		if v == nil {
			pen = false
			continue
		}
		verb := "M"
		if pen {
			verb = "L"
		} else if i+1 == len(vs) || vs[i+1] == nil {
			// A lone point is a line of no length, whose round ends are a dot.
			fmt.Fprintf(&b, "M%.1f %.1f", x(xs[i]), y(*v))
			verb = "L"
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", verb, x(xs[i]), y(*v))
		pen = true
	}
	return b.String()
}

// top is the highest value drawn. The limit is in sight unless everything lies far
// below it.
func (p panel) top() float64 {
	most := 0.0
	for _, l := range p.Lines {
		for _, v := range l.Values {
			if v != nil {
				most = max(most, *v)
			}
		}
	}
	if p.Limit != nil && *p.Limit < 4*most {
		most = max(most, *p.Limit*1.05)
	}
	return most
}

// words are the panel for somebody who cannot see it.
func (p panel) words() string {
	parts := []string{}
	for _, l := range p.Lines {
		mean, most := l.figures()
		parts = append(parts, fmt.Sprintf("%s mean %s, highest %s", l.Name, inPanel(mean, p.Unit), inPanel(most, p.Unit)))
	}
	return p.Title + " over the run: " + strings.Join(parts, "; ")
}

func (l chartLine) figures() (mean, most float64) {
	n := 0.0
	for _, v := range l.Values {
		if v != nil {
			mean, n, most = mean+*v, n+1, max(most, *v)
		}
	}
	return mean / max(n, 1), most
}

// ceiling is the next value above v that divides by four into round figures.
func ceiling(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10} {
		if unit*m >= v*0.9999 {
			return unit * m
		}
	}
	return unit * 10
}

func inPanel(v float64, unit string) string {
	switch {
	case unit == "ms" && v >= 1000:
		return significant(v/1000, 3) + "s"
	case v >= 10_000:
		return count(int64(v+0.5)) + spaced(unit)
	}
	return significant(v, 3) + spaced(unit)
}

// spaced puts a space before units that are words.
func spaced(unit string) string {
	if unit == "MiB" {
		return " " + unit
	}
	return unit
}

func clockOf(seconds float64) string {
	s := int(seconds + 0.5)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// distribution draws response and service time against the share of requests that
// were no slower, on a scale that gives every further nine the same room.
func distribution(r *measure.Result) template.HTML {
	total := r.Total(true, true)
	n := total.Response.N()
	if n < 20 {
		return ""
	}
	nines := math.Log10(float64(n)) // the slowest of n requests stands at 1-1/n
	x := func(q float64) float64 { return svgLeft + plotWidth*min(-math.Log10(1-q)/nines, 1) }
	slowest, _ := total.Response.Max()
	top := ceiling(slowest.Seconds() * 1000)
	y := func(v float64) float64 { return plotBottom - plotHeight*v/top }
	var s svg
	for i := range gridLinesAcross + 1 {
		v := top * float64(i) / gridLinesAcross
		s.line("grid", svgLeft, y(v), plotRight, y(v))
		s.text("tick end", svgLeft-5, y(v)+4, inPanel(v, "ms"))
	}
	for _, q := range []float64{0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999} {
		if at := x(q); q == 0 || -math.Log10(1-q) < nines {
			s.line("grid", at, svgTop, at, plotBottom)
			s.text("tick mid", at, svgHigh-6, significant(q*100, 7)+"%")
		}
	}
	for i, h := range []*measure.Histogram{total.Service, total.Response} {
		const points = 120
		xs, vs := make([]float64, points+1), make([]*float64, points+1)
		for j := range xs {
			q := 1 - math.Pow(10, -nines*float64(j)/points)
			xs[j] = q
			if d, ok := h.Quantile(max(q, 1e-9)); ok {
				vs[j] = new(d.Seconds() * 1000)
			}
		}
		class := []string{"line c3 dash", "line c0"}[i]
		fmt.Fprintf(&s, `<path class="%s" d="%s"/>`, class, path(xs, vs, x, y))
	}
	return s.whole(fmt.Sprintf("Latency distribution: half of the answers came within %s, 95%% within %s, 99%% within %s, the slowest in %s",
		quantile(total.Response, 0.5), quantile(total.Response, 0.95), quantile(total.Response, 0.99), took(slowest)))
}
