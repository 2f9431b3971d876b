package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Markdown renders the document for a pull request or a job summary: verdicts
// in sight, the evidence folded.
func Markdown(w io.Writer, d *Document) error {
	m := &markdown{}
	m.line("%s", marker)
	m.line("## %s %s", signs[d.Verdict], escape(d.Verdict+": "+headline(d)))
	for _, r := range d.Reasons {
		m.line("- %s", escape(r))
	}
	for _, dev := range d.Deviations {
		m.line("\n> **Not the production limits:** %s", escape(dev))
	}
	m.grid(overview(d))
	m.grid(byMember(d))
	for i := range d.Runs {
		m.run(d.title(i), &d.Runs[i])
	}
	if c := d.Comparison; c != nil {
		m.line("\n### Comparison\n")
		m.line("%s → %s", escape(side(c.Old)), escape(side(c.New)))
		m.list(unmet(c))
		m.list(VerdictLines(c))
		g, notes := compared(c)
		m.grid(g)
		m.list(notes)
		m.grid(shifted(c))
	}
	m.fold("Under test, machine and limits", func() {
		for _, o := range origin(d) {
			if o[1] != "" {
				m.line("- %s: %s", o[0], escape(o[1]))
			}
		}
		for _, l := range d.Limits {
			m.line("- limit %s: %s", escape(l.Name), escape(l.Value))
		}
	})
	return m.write(w)
}

// marker is not shown; by it a job finds the comment that it wrote before, to
// write over it.
const marker = "<!-- vitals -->"

// mostMarkdown is what a comment of a pull request may hold, in bytes.
const mostMarkdown = 64 << 10

// write writes the text. One that is too long for a comment loses its end, which
// is evidence: verdicts come first.
func (m *markdown) write(w io.Writer) error {
	if m.err != nil {
		return m.err
	}
	text := m.String()
	if len(text) > mostMarkdown {
		const rest = "\n\n</details>\n\n… cut here: a comment holds no more. The rest is in report.html.\n"
		text = text[:strings.LastIndexByte(text[:mostMarkdown-len(rest)], '\n')]
		if strings.Count(text, "<details>") == strings.Count(text, "</details>") {
			text += strings.Replace(rest, "</details>\n\n", "", 1)
		} else {
			text += rest
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

// signs are visible where colour is not.
var signs = map[string]string{Pass: "✅", Fail: "❌", Invalid: "⚠️", NoData: "❔", Inconclusive: "❔"}

type markdown struct {
	bytes.Buffer
	err error
}

func (m *markdown) line(format string, args ...any) {
	fmt.Fprintf(m, format+"\n", args...)
}

func (m *markdown) list(items []string) {
	if len(items) > 0 {
		m.line("")
	}
	for _, s := range items {
		m.line("- %s", escape(s))
	}
}

// fold hides what is for the second look.
func (m *markdown) fold(title string, fill func()) {
	m.line("\n<details><summary>%s</summary>\n", escape(title))
	fill()
	m.line("\n</details>")
}

func (m *markdown) run(name string, r *Run) {
	m.line("\n### %s %s\n", signs[r.Verdict], escape(name))
	m.line("%s", escape(about(r.Result)))
	m.list(warnings(r))
	verdicts := grid{cols: []column{{words: true}, {title: "target", words: true}, {title: "actual"}, {title: "n"}, {title: "note", words: true}}}
	for _, v := range r.Verdicts {
		n := ""
		if v.N > 0 {
			n = count(v.N)
		}
		verdicts.rows = append(verdicts.rows, []string{marks[v.Status].glyph, v.Target.Text, got(v), n, v.Note})
	}
	m.grid(verdicts)
	m.checks(checks(r))
	m.list(prefixed("why it was slow: ", causes(r)))
	m.list(prefixed("fault: ", faults(r)))
	m.profile(r)
	m.fold("Evidence", func() {
		for _, g := range []grid{bySteps(r.Result), byPhase(r.Result)} {
			m.grid(g)
		}
		m.line("")
		for _, f := range append(lockout(r), others(r)...) {
			m.line("- **%s** %s", escape(f.figure), escape(f.words))
		}
		for _, g := range []grid{felt(r.Result.Series, 30), proof(r.Evidence), slowest(r.Result, 5), unexpected(r.Result, 5)} {
			m.grid(g)
		}
		m.line("\ngenerator: %s", escape(generator(r.Result)))
		m.list(r.Result.Health.Suspect)
		m.list(r.Result.Notes)
	})
}

// profile folds where the processor time went; that there is no profile is a line.
func (m *markdown) profile(r *Run) {
	words := profiled(r)
	g := hot(r)
	switch {
	case words == "":
	case len(g.rows) == 0:
		m.list([]string{words})
	default:
		m.fold("CPU profile: "+hottest(r.Result.CPUProfile), func() {
			m.line("%s", escape(words))
			g.title = ""
			m.grid(g)
		})
	}
}

// checks are a list, each with its proof below it.
func (m *markdown) checks(cs []check) {
	if len(cs) > 0 {
		m.line("")
	}
	for _, c := range cs {
		m.line("- %s %s", marks[c.status].glyph, escape(c.words))
		for _, text := range c.proof {
			for i, line := range strings.Split(text, "\n") {
				m.line("%s- %s", strings.Repeat("  ", 1+min(i, 1)), escape(strings.TrimSpace(line)))
			}
		}
		for _, d := range c.doubts {
			m.line("  - %s", escape(d))
		}
	}
}

// grid writes a table if it has rows.
func (m *markdown) grid(g grid) {
	if len(g.rows) == 0 {
		return
	}
	if g.title != "" {
		m.line("\n**%s**", escape(g.title))
	}
	m.line("")
	align := make(tw.Alignment, len(g.cols))
	head := make([]string, len(g.cols))
	for i, c := range g.cols {
		align[i], head[i] = tw.AlignRight, escape(c.title)
		if c.words {
			align[i] = tw.AlignLeft
		}
	}
	rows := make([][]string, len(g.rows))
	for n := range rows {
		row := slices.Clone(g.rows[n])
		rows[n] = row
		for i := range row {
			lines := strings.Split(row[i], "\n")
			for n := range lines {
				lines[n] = escape(lines[n])
			}
			row[i] = strings.Join(lines, "<br>")
		}
	}
	t := tablewriter.NewTable(m,
		tablewriter.WithRenderer(renderer.NewMarkdown()),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
	)
	t.Header(head)
	err := t.Bulk(rows)
	if err == nil {
		err = t.Render()
	}
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("set table: %w", err)
	}
}

// escape keeps text from being read as Markdown or HTML: names and request IDs
// come from elsewhere.
func escape(s string) string {
	return markup.Replace(strip(s))
}

var markup = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "#", `\#`, "@", "@\u200b",
)
