package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"vitals/targets"
)

// The page's parts. The chart library is vendored unchanged, see
// assets/VERSIONS and assets/LICENSE-uPlot.
var (
	//go:embed assets/report.html
	pageHTML string
	//go:embed assets/report.css
	pageCSS string
	//go:embed assets/report.js
	pageJS string
	//go:embed assets/uPlot.min.css
	plotCSS string
	//go:embed assets/uPlot.iife.min.js
	plotJS string
)

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"class": class}).Parse(pageHTML))

// HTML renders the document as one page that needs no network: styles, scripts
// and data are in it, and its own content policy allows nothing else. Charts are
// drawings first, and become interactive where scripts run.
func HTML(w io.Writer, d *Document) error {
	v := htmlPage{
		Verdict: d.Verdict, Headline: headline(d), Taken: taken(d), Command: command(d),
		Deviations: d.Deviations, Reasons: reasonsUntold(d), Origin: origin(d), Limits: d.Limits, Matrix: matrixOf(d), Overview: overview(d).html(), Members: byMember(d).html(),
		Tool: fmt.Sprintf("%s · exit %d", d.Tool, d.Exit), Data: []chart{},
	}
	if len(d.Runs) > 1 { // a single scenario says it itself
		v.Held, v.Unmade = checked(d)
	}
	v.History = d.History.html()
	for i := range d.Runs {
		c := chartOf(&d.Runs[i])
		v.Runs = append(v.Runs, htmlOf(&d.Runs[i], &c))
		v.Runs[i].Name = d.title(i)
		v.Data = append(v.Data, c)
	}
	if c := d.Comparison; c != nil {
		g, notes := compared(c)
		v.Comparison = &htmlComparison{Old: side(c.Old), New: side(c.New), Unmet: unmet(c), Lines: VerdictLines(c), Grid: g.html(), Hot: shifted(c).html(), Notes: notes}
	}
	return v.write(w)
}

// write sets the page with the styles and scripts that every page has.
func (v htmlPage) write(w io.Writer) error {
	// Our own files and the vendored library, not content: safe as they are.
	v.CSP, v.PlotCSS, v.CSS, v.PlotJS, v.JS = policy("", pageJS), template.CSS(plotCSS), template.CSS(pageCSS), template.JS(plotJS), template.JS(pageJS)
	var page strings.Builder
	if err := pageTemplate.Execute(&page, v); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// policy allows the page's own styles and scripts by their sums, what more names,
// and nothing from anywhere else.
func policy(more, script string) template.HTML {
	sum := func(text string) string {
		b := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(b[:]) + "'"
	}
	return template.HTML(fmt.Sprintf(
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src %s %s; script-src %s %s; %sbase-uri 'none'; form-action 'none'">`,
		sum(plotCSS), sum(pageCSS), sum(plotJS), sum(script), more))
}

// class is how a verdict or status looks.
func class(verdict string) string {
	switch verdict {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	}
	return "doubt"
}

type htmlPage struct {
	CSP                      template.HTML
	Verdict, Headline, Taken string
	Command                  string
	Deviations, Reasons      []string
	Held, Unmade             []string    // checks beside the targets
	Origin                   [][2]string // what was measured, on what, and when
	Tool                     string
	Limits                   []Limit
	Matrix                   *htmlMatrix
	Overview, Members        htmlGrid
	Runs                     []htmlRun
	Comparison               *htmlComparison
	History                  []htmlSeries
	Audit                    *htmlAudit
	Data                     []chart
	PlotCSS, CSS             template.CSS
	PlotJS, JS               template.JS
}

type htmlRun struct {
	Name, Verdict, About, Generator string
	Figures                         []htmlFact // the four that everybody asks for
	Doubts, Why, Suspect, Notes     []string
	Faults, Still                   []string
	Verdicts                        []htmlVerdict
	Panels                          []htmlPanel
	Distribution                    template.HTML
	Quantiles                       htmlGrid
	Steps, Phases, Felt, Proof      htmlGrid
	Slowest, Unexpected             htmlGrid
	Lockout, Facts                  []htmlFact
	Checks                          []htmlCheck
	Reconciliation                  htmlGrid
	Hot                             htmlGrid
	Profiled                        string
}

// htmlPanel is one chart of a run: a drawing, and the key to its lines.
type htmlPanel struct {
	Index int // in the run's data
	Title string
	Half  bool
	SVG   template.HTML
	Lines []htmlLine
	Limit string
}

type htmlLine struct {
	Name, Mean, Most string
	Color            int
	Dash             bool
}

type htmlCheck struct {
	Status, Mark, Words string
	Proof, Doubts       []string
}

type htmlVerdict struct {
	Status, Mark, Target, Got, Seen, Note string
	Bar                                   template.HTML
}

type htmlFact struct{ Figure, Words string }

type htmlComparison struct {
	Old, New     string
	Unmet, Notes []string
	Lines        []string // the verdicts
	Grid, Hot    htmlGrid
}

// htmlMatrix is every target beside what each scenario reached.
type htmlMatrix struct {
	Scenarios []string
	Rows      []htmlTarget
}

type htmlTarget struct {
	Target string
	Cells  []htmlVerdict // one for each scenario; empty where it is not asked
}

// matrixOf is nil of a single scenario, whose own table says all.
func matrixOf(d *Document) *htmlMatrix {
	if len(d.Runs) < 2 {
		return nil
	}
	m := &htmlMatrix{}
	row := map[string]int{}
	for i, r := range d.Runs {
		m.Scenarios = append(m.Scenarios, d.title(i))
		for _, v := range r.Verdicts {
			at, ok := row[v.Target.Text]
			if !ok {
				at = len(m.Rows)
				row[v.Target.Text] = at
				m.Rows = append(m.Rows, htmlTarget{Target: v.Target.Text, Cells: make([]htmlVerdict, len(d.Runs))})
			}
			m.Rows[at].Cells[i] = verdictOf(v)
		}
	}
	return m
}

func verdictOf(v targets.Verdict) htmlVerdict {
	h := htmlVerdict{Status: v.Status.String(), Mark: marks[v.Status].glyph, Target: v.Target.Text, Got: got(v), Note: remark(v), Bar: distance(v)}
	if v.N > 0 && v.Status != targets.NoData {
		h.Seen = observed(v)
	}
	return h
}

// distance draws how far the figure is from its limit, which stands at two thirds; ""
// where there is no distance.
func distance(v targets.Verdict) template.HTML {
	if v.Status == targets.NoData || v.Target.Limit <= 0 || v.Target.Op == "==" || v.Target.Op == "!=" {
		return ""
	}
	const wide, at = 90.0, 60.0
	return template.HTML(fmt.Sprintf(
		`<svg class="bar" viewBox="0 0 %g 10" aria-hidden="true"><rect class="track" width="%g" height="10" rx="2"/><rect class="%s" width="%.1f" height="10" rx="2"/><line class="mark" x1="%g" y1="0" x2="%g" y2="10"/></svg>`,
		wide, wide, class(v.Status.String()), max(1, min(wide, at*v.Got/v.Target.Limit)), at, at))
}

// htmlGrid is a grid whose cells know how they are set.
type htmlGrid struct {
	Title string
	Head  []htmlCell
	Rows  [][]htmlCell
}

type htmlCell struct {
	Text  string
	Words bool
	Link  string // "" = none
}

func (g grid) html() htmlGrid {
	out := htmlGrid{Title: g.title}
	for _, c := range g.cols {
		out.Head = append(out.Head, htmlCell{Text: c.title, Words: c.words})
	}
	for _, row := range printable(g.rows) {
		cells := make([]htmlCell, len(row))
		for i, text := range row {
			cells[i] = htmlCell{text, g.cols[i].words, g.links[text]}
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

func htmlOf(r *Run, c *chart) htmlRun {
	const most = 20
	res := r.Result
	out := htmlRun{
		Name: res.Scenario, Verdict: r.Verdict, About: about(res), Generator: generator(res), Figures: foremost(r),
		Doubts: warnings(r), Suspect: res.Health.Suspect, Notes: res.Notes, Faults: faults(r), Why: causes(r), Still: c.still, Hot: hot(r).html(), Profiled: profiled(r),
		Distribution: distribution(res), Quantiles: byQuantile(res).html(),
		Steps: bySteps(res).html(), Phases: byPhase(res).html(), Felt: felt(res.Series, 0).html(), Proof: proof(r.Evidence).html(),
		Slowest: slowest(res, most).html(), Unexpected: unexpected(res, most).html(),
		Reconciliation: requestCounts(r.Reconciliation).html(), Lockout: htmlFacts(lockout(r)), Facts: htmlFacts(others(r)),
	}
	for i, p := range c.Panels {
		h := htmlPanel{Index: i, Title: p.Title, Half: p.half, SVG: c.svg(p)}
		for _, l := range p.Lines {
			mean, highest := l.figures()
			h.Lines = append(h.Lines, htmlLine{Name: strip(l.Name), Color: l.Color, Dash: l.Dash, Mean: inPanel(mean, p.Unit), Most: inPanel(highest, p.Unit)})
		}
		if p.Limit != nil {
			h.Limit = inPanel(*p.Limit, p.Unit)
		}
		out.Panels = append(out.Panels, h)
	}
	for _, c := range checks(r) {
		h := htmlCheck{Status: c.status.String(), Mark: marks[c.status].glyph, Words: c.words, Doubts: c.doubts}
		for _, text := range c.proof {
			h.Proof = append(h.Proof, stripLines(text))
		}
		out.Checks = append(out.Checks, h)
	}
	for _, v := range r.Verdicts {
		out.Verdicts = append(out.Verdicts, verdictOf(v))
	}
	return out
}

// foremost are the figures that everybody asks for first.
func foremost(r *Run) []htmlFact {
	total := r.Result.Total(true, true)
	out := []htmlFact{
		{p95(r.Result, total), "p95 response"},
		{rate(total.Counts.Timely(), r.Result.Window), "served"},
		{share(total.Counts.Errors, total.Counts.Judged()), "errors"},
		{count(total.Counts.Sent), "requests"},
	}
	if f, ok := r.Result.Fact("cpu"); ok {
		out = append(out, htmlFact{figure(f), "CPU"})
	}
	return out
}

func htmlFacts(facts []said) (out []htmlFact) {
	for _, f := range facts {
		out = append(out, htmlFact{f.figure, f.words})
	}
	return out
}
