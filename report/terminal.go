package report

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"vitals/targets"
)

// Verbose renders the whole document as text: coloured and as wide as the window
// where w is a terminal, plain otherwise.
func Verbose(w io.Writer, d *Document) error {
	return Text(StyleOf(w, os.Getenv))(w, d)
}

// Text is the long text form in a given style.
func Text(s Style) Reporter {
	return func(w io.Writer, d *Document) error {
		p := &page{Style: s}
		p.head(d)
		for i := range d.Runs {
			p.run(d.title(i), &d.Runs[i])
		}
		if d.Comparison != nil {
			p.comparison(d.Comparison)
		}
		p.foot(d)
		if p.err != nil {
			return p.err
		}
		_, err := w.Write(p.Bytes())
		return err
	}
}

// head is the verdict, what was measured, and one line per scenario.
func (p *page) head(d *Document) {
	p.headline(d, "")
	for _, r := range d.Reasons {
		p.wrap("  · ", r)
	}
	for _, w := range unusable(d) {
		p.wrap("  · ", w)
	}
	for _, dev := range d.Deviations {
		p.line("")
		for _, l := range p.wrapped("  ! ", "NOT THE PRODUCTION LIMITS: "+dev) {
			p.line("%s", p.paint(yellow, l))
		}
	}
	p.line("")
	for _, l := range origin(d) {
		if l[1] != "" {
			p.wrap("  "+pad(l[0], 10)+"  ", l[1])
		}
	}
	p.line("")
	p.grid(overview(d))
	p.grid(byMember(d))
}

// headline is the verdict and the document in a sentence.
func (p *page) headline(d *Document, more string) {
	lines := p.wrapped(strings.Repeat(" ", columns(d.Verdict))+"  ", headline(d)+more)
	for i, l := range lines {
		words := p.paint(bold, strings.TrimLeft(l, " "))
		if i == 0 {
			p.line("%s  %s", p.verdict(d.Verdict), words)
		} else {
			p.line("%*s  %s", columns(d.Verdict), "", words)
		}
	}
}

func headline(d *Document) string {
	all, met := 0, 0
	var missed []string
	for _, r := range d.Runs {
		for _, v := range r.Verdicts {
			all++
			switch v.Status {
			case targets.Pass:
				met++
			case targets.Fail:
				missed = append(missed, r.Result.Scenario+": "+v.Target.Text+" was "+got(v))
			}
		}
	}
	text := ran(d) + ", no targets asked: nothing was judged"
	if slices.ContainsFunc(d.Runs, func(r Run) bool { return r.Invariants.Judged() }) {
		text = ran(d) + ", no targets asked: only the rate-limit invariants were judged"
	}
	if slices.ContainsFunc(d.Runs, func(r Run) bool { return len(r.Result.Granted) > 0 }) {
		text = ran(d) + ", no targets asked: it failed by what intruders were granted"
	}
	if len(d.Runs) == 0 && d.Comparison != nil {
		text = "two builds compared: " + strings.ReplaceAll(string(d.Comparison.Verdict), "_", " ")
	} else if all > 0 || len(d.Runs) == 0 {
		text = ran(d) + ", " + count(int64(met)) + " of " + plural(all, "target") + " met"
	}
	if len(missed) == 1 {
		text += "; " + missed[0]
	}
	if broken := brokenRules(d); len(missed) == 0 && len(broken) > 0 {
		text += "; rate-limit invariants broken: " + strings.Join(broken, ", ")
	}
	if d.Partial {
		text += " (partial: " + partial(d) + ")"
	}
	return text
}

// brokenRules are the rate-limit invariants that did not hold, each once.
func brokenRules(d *Document) (rules []string) {
	for _, r := range d.Runs {
		if r.Invariants == nil {
			continue
		}
		for _, v := range r.Invariants.Violations {
			if !slices.Contains(rules, v.Rule) {
				rules = append(rules, v.Rule)
			}
		}
	}
	return rules
}

// origin is what was measured, on what, and when, in pairs of name and words.
func origin(d *Document) [][2]string {
	out := [][2]string{{"under test", subject(d)}}
	for _, role := range sortedKeys(d.Stack.Images) {
		out = append(out, [2]string{role, shortDigests(d.Stack.Images[role])})
	}
	for _, k := range sortedKeys(d.Stack.Info) {
		out = append(out, [2]string{k, d.Stack.Info[k]})
	}
	return append(out, [2]string{"on", machine(d.Machine)}, [2]string{"taken", taken(d)})
}

// shortDigests cuts sha256 digests to the twelve digits that the engine prints.
func shortDigests(image string) string {
	head, digest, ok := strings.Cut(image, "sha256:")
	if !ok || len(digest) < 12 {
		return image
	}
	return head + digest[:12]
}

func subject(d *Document) string {
	var parts []string
	if d.Stack.Kind != "" {
		parts = append(parts, where(d.Stack))
	}
	if rev := d.Subject.GitRev; rev != "" {
		rev = "revision " + rev[:min(12, len(rev))]
		if d.Subject.Dirty {
			rev += " with local changes"
		}
		parts = append(parts, rev)
	}
	return listed(parts...)
}

// where words where the system under test came from.
func where(s Stack) string {
	if s.Kind == "url" {
		return "deployment at " + s.URL
	}
	return s.Kind + " stack at " + s.URL
}

func taken(d *Document) string {
	if d.Created.IsZero() {
		return ""
	}
	return d.Created.UTC().Format("2006-01-02 15:04:05 UTC") + " by " + d.Tool
}

func machine(m Machine) string {
	var cores, memory string
	if m.Cores > 0 {
		cores, memory = plural(m.Cores, "core"), count(m.MemMiB)+" MiB"
	}
	return listed(m.CPU, cores, memory, strings.TrimSpace(m.OS+" "+m.Kernel), m.Arch, m.Go)
}

// foot is what held for every run, and the verdict again: it is what the eye
// meets when the text has scrolled by.
func (p *page) foot(d *Document) {
	if len(d.Limits) > 0 {
		p.section("limits in force, as the system under test declares them")
		words := make([]string, len(d.Limits))
		for i, l := range d.Limits {
			words[i] = l.Name + "=" + l.Value
		}
		p.wrap("   ", strings.Join(words, ", "))
	}
	p.line("")
	p.headline(d, fmt.Sprintf(" (exit %d)", d.Exit))
}
