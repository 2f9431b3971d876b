package report

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vitals/internal/baseline"
	"vitals/targets"
)

// The summary fits one screen: what does not is in the long form.
const (
	mostMissed    = 16 // targets missed or without data
	mostReasons   = 6  // beside those of targets
	mostOfTwo     = 8  // of both, for each to have two lines
	mostOfFour    = 3  // of both, for each to have four
	mostExplained = 3
)

// Terminal renders the end of a run on one screen: the verdict, every target
// that was missed or has no data, a line per scenario, and what explains it.
func Terminal(w io.Writer, d *Document) error {
	return Summary(StyleOf(w, os.Getenv), "")(w, d)
}

// Ended is Terminal for a run whose files lie in dir: it says where, and which
// commands show all of it and do it again.
func Ended(w io.Writer, d *Document, dir string) error {
	return Summary(StyleOf(w, os.Getenv), dir)(w, d)
}

// Summary is the short text form in a given style. dir is the folder of the
// document, "" where it is not known.
func Summary(s Style, dir string) Reporter {
	return func(w io.Writer, d *Document) error {
		if len(d.Runs) == 0 && d.Comparison != nil { // a duet: its runs stand in the baselines
			if d.Partial {
				if _, err := fmt.Fprintf(w, "%s  %s\n", d.Verdict, headline(d)); err != nil {
					return err
				}
			}
			return ComparisonText(s, w, d.Comparison)
		}
		p := &page{Style: s}
		p.headline(d, fmt.Sprintf(" (exit %d)", d.Exit))
		p.missed(d)
		if len(d.Runs) > 0 {
			p.line("")
			p.grid(overview(d))
			p.grid(byMember(d))
		}
		p.explained(d)
		p.against(d.Comparison)
		p.next(d, dir)
		if p.err != nil {
			return p.err
		}
		_, err := w.Write(p.Bytes())
		return err
	}
}

// miss is a target that was not met, in all the scenarios where the same was seen.
type miss struct {
	target, seen string
	status       targets.Status
	scenarios    []string
}

// misses are the targets not met, the missed before those without data. A target
// without data for the same reason in several scenarios is one.
func misses(d *Document) (out []miss) {
	for _, r := range d.Runs {
		for _, v := range r.Verdicts {
			if v.Status == targets.Pass {
				continue
			}
			m := miss{target: v.Target.Text, seen: got(v), status: v.Status, scenarios: []string{r.Result.Scenario}}
			switch {
			case v.Note != "":
				m.seen += ": " + v.Note
			case v.N > 0:
				m.seen += " (" + observed(v) + ")"
			}
			i := slices.IndexFunc(out, func(o miss) bool {
				return o.target == m.target && o.seen == m.seen && o.status == m.status && m.status == targets.NoData
			})
			if i >= 0 {
				out[i].scenarios = append(out[i].scenarios, r.Result.Scenario)
			} else {
				out = append(out, m)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b miss) int { return cmp.Compare(b.status, a.status) })
	return out
}

// reasonsUntold are the document's reasons that no target's line has told.
func reasonsUntold(d *Document) []string {
	return slices.DeleteFunc(slices.Clone(d.Reasons), func(reason string) bool {
		for _, r := range d.Runs {
			for _, v := range r.Verdicts {
				if v.Status != targets.Pass && strings.HasPrefix(reason, r.Result.Scenario+": ") && strings.Contains(reason, v.Target.Text) {
					return true
				}
			}
		}
		return false
	})
}

// missed says of each target that was not met what was seen, then every other reason; the
// weightiest first: a load that did not begin tells why before it tells what it lacks.
func (p *page) missed(d *Document) {
	ms, rest := misses(d), reasonsUntold(d)
	if len(ms)+len(rest) > 0 {
		p.line("")
	}
	first := len(rest) > 0 && rest[0] == d.Reasons[0]
	if first {
		p.reasons(rest, len(rest))
	}
	width := 0
	for _, m := range ms[:min(len(ms), mostMissed)] {
		width = max(width, columns(m.head()))
	}
	width = min(width, p.width()/2)
	for i, m := range ms {
		if i == mostMissed && len(ms) > mostMissed+1 {
			p.line("  … and %s more not met", count(int64(len(ms)-i)))
			break
		}
		p.entry(marks[m.status].color, marks[m.status].glyph, pad(m.head(), width)+"  ", m.seen, linesFor(len(ms)+len(rest)))
	}
	if !first {
		p.reasons(rest, len(ms)+len(rest))
	}
}

// reasons are those that no target's line has told, beside so many of all kinds.
func (p *page) reasons(rest []string, all int) {
	for i, why := range rest {
		if i == mostReasons && len(rest) > mostReasons+1 {
			p.line("  … and %s more reasons", count(int64(len(rest)-i)))
			break
		}
		p.entry(yellow, "!", "", why, linesFor(all))
	}
}

// linesFor is how many lines each of so many has.
func linesFor(all int) int {
	switch {
	case all <= mostOfFour:
		return 4
	case all <= mostOfTwo:
		return 2
	}
	return 1
}

// entry is a mark, what it is of, and a text: in so many lines at most, or in one where it
// fits beside its name.
func (p *page) entry(c color, mark, head, text string, most int) {
	before := "  " + mark + " " + head
	lines := []string{cut(before+strip(text), p.width())}
	switch {
	case columns(before) > p.width()*2/3: // one line would be its name alone
		lines = p.brief("  "+mark+" ", strings.TrimSpace(head)+"  "+text, max(2, most))
	case most > 1:
		lines = p.brief(before, text, most)
	}
	p.line("  %s%s", p.paint(c, mark), strings.TrimPrefix(lines[0], "  "+mark))
	for _, l := range lines[1:] {
		p.line("%s", l)
	}
}

func (m miss) head() string { return strings.Join(m.scenarios, ", ") + ": " + m.target }

// against is what came of a comparison, in few lines: figures that are worse are among
// the reasons already.
func (p *page) against(c *baseline.Comparison) {
	if c == nil || c.Verdict == baseline.OverallNotCompared { // why not is among the reasons
		return
	}
	p.line("")
	open, figures := []string{}, 0
	for _, r := range c.Rows {
		if !r.Gating {
			continue
		}
		if figures++; r.Change == baseline.Inconclusive && c.Verdict == baseline.OverallInconclusive {
			open = append(open, r.Line())
		}
	}
	p.wrap("  ", "compared with the baseline of "+c.Old.Started+", "+plural(figures, "figure")+": "+strings.ToUpper(strings.ReplaceAll(string(c.Verdict), "_", " ")))
	for _, l := range open[:min(len(open), mostExplained)] {
		for _, l := range p.brief("  · ", l, 2) {
			p.line("%s", l)
		}
	}
	if c.Decides != "" {
		p.wrap("  ", "to decide: "+c.Decides)
	}
}

// longWord is one that is broken before it is left out: an answer without spaces may
// be all that a text tells.
const longWord = 24

// brief is a text in so many lines at most, or as many more as a narrow page has for as much.
func (p *page) brief(before, text string, most int) []string {
	most = max(most, (most*80+p.width()-1)/p.width())
	lines := p.wrapped(before, strip(text))
	long := slices.ContainsFunc(lines, func(l string) bool { return columns(l) > p.width() })
	if !long && len(lines) > most {
		next, _, _ := strings.Cut(strings.TrimLeft(lines[most], " "), " ")
		long = columns(next) > longWord
	}
	switch {
	case !long && len(lines) <= most:
		return lines
	case !long:
		return append(lines[:most-1], cut(lines[most-1]+" …", p.width()))
	}
	room := max(2, p.width()-columns(before))
	rest := strings.Join(strings.Fields(strip(text)), " ")
	lines = nil
	for len(lines) < most-1 && columns(rest) > room {
		line := strings.TrimSuffix(cut(rest+" ", room+1), "…")
		if at := strings.LastIndexByte(line, ' '); at >= len(line)/2 {
			line = line[:at]
		}
		lines, rest = append(lines, before+line), strings.TrimPrefix(rest[len(line):], " ")
		before = strings.Repeat(" ", columns(before))
	}
	return append(lines, before+cut(rest, room))
}

// next is where the files lie and which commands come next.
func (p *page) next(d *Document, dir string) {
	var lines [][2]string
	if dir != "" {
		document := filepath.Join(dir, "document.json")
		lines = append(lines, [2]string{"report", filepath.Join(dir, "report.html")}, [2]string{"all of it", "vitals report " + baseline.Quoted(document) + " --verbose"})
	}
	if again := command(d); again != "" {
		lines = append(lines, [2]string{"run again", again})
	}
	for i, l := range lines {
		if i == 0 {
			p.line("")
		}
		p.line("  %s  %s", pad(l[0], 9), strip(l[1])) // never cut: it is there to be copied
	}
}

// command is the document's own, as a shell takes it.
func command(d *Document) string {
	words := make([]string, len(d.Command))
	for i, w := range d.Command {
		if i == 0 {
			w = filepath.Base(w)
		}
		words[i] = baseline.Quoted(w)
	}
	return strings.Join(words, " ")
}
