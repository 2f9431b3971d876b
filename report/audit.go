package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitals/internal/atomicfile"
	"vitals/internal/audit"
)

// AuditReporter renders an audit to w.
type AuditReporter func(w io.Writer, a *audit.Report) error

// auditFormats are the forms an audit is shown in.
var auditFormats = map[string]AuditReporter{
	"terminal": func(w io.Writer, a *audit.Report) error { return audit.Print(w, *a, StyleOf(w, os.Getenv).Width) },
	"html":     AuditHTML,
	"json":     AuditJSON,
	"junit":    AuditJUnit,
	"markdown": AuditMarkdown,
	"sarif":    AuditSARIF,
}

// WriteAudit leaves an audit in dir: audit.json, and report.html for people. Each
// file is written as a whole or not at all.
func WriteAudit(dir string, a *audit.Report) error {
	err := atomicfile.Write(filepath.Join(dir, "audit.json"), func(w io.Writer) error { return AuditJSON(w, a) })
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "report.html"), func(w io.Writer) error { return AuditHTML(w, a) })
}

// AuditJSON renders the audit in the form that Open reads.
func AuditJSON(w io.Writer, a *audit.Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(a); err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	return nil
}

// auditVerdict is what the findings add up to. What was skipped is not proved.
func auditVerdict(a *audit.Report) string {
	switch {
	case a.Counts.Fail > 0 || len(a.Violations) > 0:
		return Fail
	case a.Counts.Skip > 0 || a.Counts.Pass+a.Counts.Advice == 0 || a.Partial:
		return NoData
	}
	return Pass
}

func auditHeadline(a *audit.Report) string {
	advice := ""
	if n := a.Counts.Advice; n > 0 {
		advice = fmt.Sprintf(", %d ADVICE", n)
	}
	text := fmt.Sprintf("audit of %s: %d PASS, %d FAIL%s, %d SKIP", a.Target, a.Counts.Pass, a.Counts.Fail, advice, a.Counts.Skip)
	if ids, why := a.Unrun(); len(ids) > 0 {
		text += fmt.Sprintf(" (%d %s)", len(ids), why)
	}
	if n := a.Counts.NotAsked; n > 0 {
		text += ", not asked: " + plural(n, "probe") + " (nothing promised)"
	}
	if n := len(a.Violations); n > 0 {
		text += ", " + plural(n, "rate-limit invariant") + " violated"
	}
	if a.Partial {
		text += " (partial: interrupted)"
	}
	return text
}

// auditInvariants is what the checker of the rate limits' invariants saw.
func auditInvariants(a *audit.Report) check {
	return invariantsCheck(&Invariants{Answers: a.Events, Profile: a.Profile, Violations: a.Violations})
}

// auditTaken is when the first probe began.
func auditTaken(a *audit.Report) (t time.Time) {
	for _, f := range a.Findings {
		if !f.Began.IsZero() && (t.IsZero() || f.Began.Before(t)) {
			t = f.Began
		}
	}
	return t
}

type htmlAudit struct {
	Families   []htmlFamily
	Violations []string
}

type htmlFamily struct {
	Name     string
	Findings []htmlFinding
}

type htmlFinding struct {
	ID, Title, Status, Took, Reason, Why, Fix, Class, Transcript string
	Notes                                                        []string
	Open                                                         bool
}

// AuditHTML renders the audit as one page that needs no network: what failed
// first to the eye, every probe with its transcript.
func AuditHTML(w io.Writer, a *audit.Report) error {
	v := htmlPage{Verdict: auditVerdict(a), Headline: auditHeadline(a), Tool: "vitals audit", Data: []chart{}, Audit: &htmlAudit{}}
	if t := auditTaken(a); !t.IsZero() {
		v.Taken = t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if a.ShortClock {
		v.Deviations = []string{"short clock: locks and windows were shortened to seconds, so the published durations were not verified"}
	}
	v.Origin = [][2]string{{"target", a.Target}, {"profile", a.Profile}}
	if c := auditInvariants(a); c.status.String() == Pass {
		v.Held = []string{c.words}
	} else if len(a.Violations) == 0 {
		v.Unmade = []string{c.words}
	}
	about := map[string]audit.Probe{}
	for _, p := range audit.Probes() {
		about[p.ID] = p
	}
	for _, f := range a.Findings {
		family := audit.Family(f.ID)
		if n := len(v.Audit.Families); n == 0 || v.Audit.Families[n-1].Name != family {
			v.Audit.Families = append(v.Audit.Families, htmlFamily{Name: family})
		}
		to := &v.Audit.Families[len(v.Audit.Families)-1]
		h := htmlFinding{
			ID: f.ID, Title: f.Title, Status: f.Status.String(), Took: f.Took.String(), Reason: stripLines(words(f, "\n")), Notes: f.Notes,
			Class: f.Class.String(), Transcript: transcript(f), Open: f.Status == audit.Fail,
		}
		if f.Status != audit.Pass {
			h.Why, h.Fix = about[f.ID].Why, about[f.ID].Fix
		}
		to.Findings = append(to.Findings, h)
	}
	for i, violation := range a.Violations {
		if i == 50 {
			v.Audit.Violations = append(v.Audit.Violations, fmt.Sprintf("and %s more in audit.json", count(int64(len(a.Violations)-i))))
			break
		}
		v.Audit.Violations = append(v.Audit.Violations, stripLines(violation.String()))
	}
	return v.write(w)
}

// transcript is the exchanges of a finding as text, each from its request to its
// answer.
func transcript(f audit.Finding) string {
	var b strings.Builder
	for _, x := range f.Transcript {
		if x.N > 0 {
			fmt.Fprintf(&b, "#%d ", x.N)
		}
		fmt.Fprintf(&b, "+%s", took(time.Duration(x.At)))
		if x.From != "" {
			fmt.Fprintf(&b, " from %s", x.From)
		}
		if x.Words != "" {
			fmt.Fprintf(&b, " %s", x.Words)
		}
		b.WriteString("\n")
		for _, l := range slices.Concat([]string{x.Send}, x.Header, []string{x.Body}) {
			if l != "" {
				fmt.Fprintf(&b, "  > %s\n", l)
			}
		}
		if x.Status > 0 {
			fmt.Fprintf(&b, "  < %d after %s\n", x.Status, took(time.Duration(x.Took)))
		}
		for _, l := range slices.Concat(x.Answer, []string{x.Got}) {
			if l != "" {
				fmt.Fprintf(&b, "  < %s\n", l)
			}
		}
		if x.Err != "" {
			fmt.Fprintf(&b, "  ! %s\n", x.Err)
		}
	}
	if f.Omitted > 0 {
		fmt.Fprintf(&b, "… and %s more exchanges\n", count(int64(f.Omitted)))
	}
	return stripLines(b.String())
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strip(s)
}

// AuditMarkdown renders the audit for a pull request or a job summary: what failed
// and what was not proved in sight, the rest folded.
func AuditMarkdown(w io.Writer, a *audit.Report) error {
	m := &markdown{}
	verdict := auditVerdict(a)
	m.line("%s", marker)
	m.line("## %s %s", signs[verdict], escape(auditHeadline(a)))
	if a.ShortClock {
		m.line("\n> **Short clock:** locks and windows were shortened to seconds, so the published durations were not verified.")
	}
	table := func(status audit.Status) grid {
		g := grid{cols: []column{{title: "probe", words: true}, {title: "proves", words: true}, {title: "reason", words: true}}}
		for _, f := range a.Findings {
			if f.Status == status {
				g.rows = append(g.rows, []string{f.ID, f.Title, reason(f)})
			}
		}
		return g
	}
	for _, status := range []audit.Status{audit.Fail, audit.Advice, audit.Skip, audit.Pass, audit.NotAsked} {
		g := table(status)
		if len(g.rows) == 0 {
			continue
		}
		title := fmt.Sprintf("%s: %d", status, len(g.rows))
		if status == audit.Fail {
			m.line("\n### %s", title)
			m.grid(g)
			continue
		}
		if status == audit.Pass {
			g.cols = g.cols[:2]
			for i := range g.rows {
				g.rows[i] = g.rows[i][:2]
			}
		}
		m.fold(title, func() { m.grid(g) })
	}
	for _, p := range a.Standards {
		m.standard(p)
	}
	m.checks([]check{auditInvariants(a)})
	return m.write(w)
}

// mostFindings is how many lines of a reason a table holds; the page has all.
const mostFindings = 20

// words is what was found, after the finding that it only repeats, if it does.
func words(f audit.Finding, between string) string {
	if f.Follows == "" {
		return f.Reason
	}
	return "follows from " + f.Follows + ":" + between + f.Reason
}

// reason is what was found, each line of it, with what it rests on.
func reason(f audit.Finding) string {
	lines := strings.Split(strings.TrimSpace(words(f, "\n")), "\n")
	for i := range lines {
		lines[i] = strip(lines[i])
	}
	if n := len(lines); n > mostFindings {
		lines = append(lines[:mostFindings], fmt.Sprintf("… and %d more", n-mostFindings))
	}
	if (f.Status == audit.Fail || f.Status == audit.Advice) && f.Basis != nil {
		lines = append(lines, "("+strip(f.Basis.String())+")")
	}
	return strings.Join(lines, "\n")
}

// standard is a table of a standard's requirements, and those that nothing proved.
func (m *markdown) standard(p audit.Proved) {
	g := grid{cols: []column{{title: "requirement", words: true}, {title: "asks", words: true}, {title: "verdict", words: true}, {title: "evidence", words: true}, {title: "failed, or missing", words: true}}}
	for _, o := range p.Requirements {
		why := strip(o.Because)
		if why == "" {
			why = strip(strings.Join(o.Missing, "; "))
		}
		g.rows = append(g.rows, []string{fmt.Sprintf("%s (L%d)", o.ID, o.Level), o.Asks, o.Says(), strings.Join(o.Evidence, ", "), why})
	}
	m.fold(p.Standard+": what the probes say of its requirements", func() { m.grid(g) })
	none := grid{cols: []column{{title: "chapter", words: true}, {title: "not proved from outside", words: true}}}
	for _, c := range p.Unproved {
		none.rows = append(none.rows, []string{fmt.Sprintf("%s (%d of %d)", c.Name, len(c.IDs), c.Of), strings.Join(c.IDs, ", ")})
	}
	m.fold(p.Standard+": requirements that no probe bears on", func() { m.grid(none) })
}
