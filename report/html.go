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
// and data are in it, and its own content policy allows nothing else.
func HTML(w io.Writer, d *Document) error {
	v := htmlPage{
		CSP: policy(), Verdict: d.Verdict, Headline: headline(d), Deviations: d.Deviations, Reasons: d.Reasons,
		Origin: origin(d), Limits: d.Limits, Overview: overview(d).html(),
		Tool: d.Tool, Exit: d.Exit, Data: []chart{},
		// Our own files and the vendored library, not content: safe as they are.
		PlotCSS: template.CSS(plotCSS), CSS: template.CSS(pageCSS), PlotJS: template.JS(plotJS), JS: template.JS(pageJS),
	}
	for i := range d.Runs {
		v.Runs = append(v.Runs, htmlOf(&d.Runs[i]))
		v.Data = append(v.Data, chartOf(&d.Runs[i]))
	}
	if c := d.Comparison; c != nil {
		g, notes := compared(c)
		v.Comparison = &htmlComparison{Old: side(c.Old), New: side(c.New), Unmet: unmet(c), Grid: g.html(), Notes: notes}
	}
	var page strings.Builder
	if err := pageTemplate.Execute(&page, v); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// policy allows the page's own styles and scripts by their sums, and nothing
// from anywhere.
func policy() template.HTML {
	sum := func(text string) string {
		b := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(b[:]) + "'"
	}
	return template.HTML(fmt.Sprintf(
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src %s %s; script-src %s %s; base-uri 'none'; form-action 'none'">`,
		sum(plotCSS), sum(pageCSS), sum(plotJS), sum(pageJS)))
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
	CSP                 template.HTML
	Verdict, Headline   string
	Deviations, Reasons []string
	Origin              [][2]string // what was measured, on what, and when
	Tool                string
	Limits              []Limit
	Overview            htmlGrid
	Runs                []htmlRun
	Comparison          *htmlComparison
	Exit                int
	Data                []chart
	PlotCSS, CSS        template.CSS
	PlotJS, JS          template.JS
}

type htmlRun struct {
	Name, Verdict, About, Generator string
	Doubts, Suspect, Notes, Faults  []string
	Verdicts                        []htmlVerdict
	Steps, Phases, Felt, Proof      htmlGrid
	Slowest, Unexpected             htmlGrid
	Lockout, Figures                []htmlFact
	Checks                          []htmlCheck
	Reconciliation                  htmlGrid
}

type htmlCheck struct {
	Status, Mark, Words string
	Proof, Doubts       []string
}

type htmlVerdict struct{ Status, Mark, Target, Got, N, Note string }

type htmlFact struct{ Figure, Words string }

type htmlComparison struct {
	Old, New     string
	Unmet, Notes []string
	Grid         htmlGrid
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
}

func (g grid) html() htmlGrid {
	out := htmlGrid{Title: g.title}
	for _, c := range g.cols {
		out.Head = append(out.Head, htmlCell{c.title, c.words})
	}
	for _, row := range printable(g.rows) {
		cells := make([]htmlCell, len(row))
		for i, text := range row {
			cells[i] = htmlCell{text, g.cols[i].words}
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

func htmlOf(r *Run) htmlRun {
	const most = 20
	res := r.Result
	out := htmlRun{
		Name: res.Scenario, Verdict: r.Verdict, About: about(res), Generator: generator(res),
		Doubts: doubts(r), Suspect: res.Health.Suspect, Notes: res.Notes, Faults: faults(r),
		Steps: bySteps(res).html(), Phases: byPhase(res).html(), Felt: felt(res.Series, 0).html(), Proof: proof(r.Evidence).html(),
		Slowest: slowest(res, most).html(), Unexpected: unexpected(res, most).html(),
		Reconciliation: requestCounts(r.Reconciliation).html(), Lockout: htmlFacts(lockout(r)), Figures: htmlFacts(others(r)),
	}
	for _, c := range checks(r) {
		h := htmlCheck{Status: c.status.String(), Mark: marks[c.status].glyph, Words: c.words, Doubts: c.doubts}
		for _, text := range c.proof {
			h.Proof = append(h.Proof, stripLines(text))
		}
		out.Checks = append(out.Checks, h)
	}
	for _, v := range r.Verdicts {
		h := htmlVerdict{Status: v.Status.String(), Mark: marks[v.Status].glyph, Target: v.Target.Text, Got: got(v), Note: v.Note}
		if v.N > 0 && v.Status != targets.NoData {
			h.N = count(v.N)
		}
		out.Verdicts = append(out.Verdicts, h)
	}
	return out
}

func htmlFacts(facts []said) (out []htmlFact) {
	for _, f := range facts {
		out = append(out, htmlFact{f.figure, f.words})
	}
	return out
}
