package report

import (
	"fmt"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/targets"
)

// run is one scenario, from its verdict to the requests to look at.
func (p *page) run(name string, r *Run) {
	res := r.Result
	title := "── " + strip(name) + " "
	p.line("")
	p.line("%s%s %s", p.paint(bold, title), strings.Repeat("─", max(2, p.width()-columns(title)-columns(r.Verdict)-1)), p.verdict(r.Verdict))
	p.wrap("  ", about(res))
	if why := early(res); why != "" {
		p.wrap("  ! ", why)
	}
	p.line("")
	p.verdicts(r.Verdicts)
	p.checks(checks(r))
	p.items("why it was slow", "   · ", causes(r))
	p.profile(r)
	p.items("faults", "   ", faults(r))
	p.grid(bySteps(res))
	p.grid(byPhase(res))
	p.facts("lockout", lockout(r))
	p.facts("figures", others(r))
	p.grid(felt(res.Series, min(40, p.width()-60)))
	p.grid(proof(r.Evidence))
	p.generator(res)
	p.grid(slowest(res, 5))
	p.failed(res, 5)
	p.items("notes", "   · ", res.Notes)
}

// profile is where the processor time went, or why nobody knows.
func (p *page) profile(r *Run) {
	g := hot(r)
	p.grid(g)
	if words := profiled(r); words != "" {
		if len(g.rows) == 0 {
			p.section("CPU profile")
		}
		p.wrap("   ", words)
	}
}

// failed are the requests that did not go as expected, each with what was expected
// and what came, in full.
func (p *page) failed(r *measure.Result, most int) {
	es, kinds := firstOfEach(r.Failures)
	alike := map[string]int{}
	for _, e := range es {
		alike[kindOf(e)]++
	}
	most = max(most, min(kinds, mostKinds))
	title := "not as expected"
	if len(es) > most {
		title += fmt.Sprintf(" (%d of %d kept)", most, len(es))
		es = es[:most]
	}
	var items []string
	for _, e := range es {
		text := came(e)
		if own := kindOf(e); alike[own] > 1 {
			text += fmt.Sprintf(" (%d such kept)", alike[own])
			alike[own] = 0 // said once
		}
		items = append(items, text)
	}
	p.items(title, "   ✗ ", items)
}

// items is a titled list, if it has any.
func (p *page) items(title, lead string, items []string) {
	for i, text := range items {
		if i == 0 {
			p.section(title)
		}
		p.wrap(lead, text)
	}
}

// grid is a titled table, if it has rows.
func (p *page) grid(g grid) {
	if len(g.rows) > 0 && g.title != "" {
		p.section(g.title)
	}
	p.table(g.cols, g.rows)
}

func (p *page) facts(title string, facts []said) {
	for i, f := range facts {
		if i == 0 {
			p.section(title)
		}
		p.wrap("   "+pad(f.figure, 8)+"  ", f.words)
	}
}

func about(r *measure.Result) string {
	total := r.Total(true, true).Counts
	parts := []string{r.Model, r.Pace + " pace", fmt.Sprintf("seed %d", r.Seed), took(r.Window) + " judged of " + took(r.Took)}
	sent := count(total.Sent) + " requests"
	if total.Planned > 0 {
		sent += " of " + count(total.Planned) + " planned"
	}
	for _, n := range []struct {
		n    int64
		word string
	}{{total.Late, "late"}, {total.Dropped, "dropped"}, {total.Unsent, "unsent"}} {
		if n.n > 0 {
			sent += ", " + count(n.n) + " " + n.word
		}
	}
	return strings.Join(append(parts, sent), " · ")
}

// marks of the statuses; a target without data never looks met.
var marks = map[targets.Status]struct {
	glyph string
	color color
}{targets.Pass: {"✓", green}, targets.Fail: {"✗", red}, targets.NoData: {"?", yellow}}

func (p *page) verdicts(vs []targets.Verdict) {
	width, gots := 0, 0
	for _, v := range vs {
		width, gots = max(width, columns(v.Target.Text)), max(gots, columns(got(v)))
	}
	for _, v := range vs {
		m := marks[v.Status]
		line := "   " + p.paint(m.color, m.glyph) + " " + pad(v.Target.Text, width) + "  " + pad(got(v), gots)
		plain := 5 + width + 2 + gots
		if v.N > 0 {
			n := seen(v)
			line, plain = line+n, plain+columns(n)
		}
		if plain > p.width() {
			p.wrap("   "+m.glyph+" ", v.Target.Text)
			p.wrap("       ", got(v)+seen(v))
			line, plain = "", p.width()
		}
		switch note := remark(v); {
		case line == "" && note != "":
			p.wrap("       ", note)
		case line == "":
		case note == "":
			p.line("%s", line)
		case plain+2+columns(note) <= p.width():
			p.line("%s  %s", line, p.paint(dim, strip(note)))
		default:
			p.line("%s", line)
			p.wrap("       ", note)
		}
	}
}

func seen(v targets.Verdict) string { return "  (" + observed(v) + ")" }

// observed is how many there were of what the figure was taken from.
func observed(v targets.Verdict) string {
	switch v.Target.Unit() {
	case targets.Time, targets.PerRate:
		return plural64(v.N, "answer")
	case targets.Share:
		if v.Target.Metric != "cpu" {
			return plural64(v.N, "request")
		}
		return plural64(v.N, "reading")
	}
	return plural64(v.N, "observation")
}

// remark is what must be said of a figure: how it was measured, or for words that
// do not explain themselves what it counts.
func remark(v targets.Verdict) string {
	about := ""
	if strings.Contains(v.Target.Metric, ".") && v.Target.Metric != "p99.9" {
		about = targets.About(v.Target.Metric)
	}
	if about != "" && v.Note != "" {
		about += "; "
	}
	return about + v.Note
}

// checks are what held beside the targets; what did not is shown with its proof.
func (p *page) checks(cs []check) {
	for _, c := range cs {
		m := marks[c.status]
		lines := p.wrapped("     ", c.words)
		lines[0] = "   " + p.paint(m.color, m.glyph) + strings.TrimPrefix(lines[0], "    ")
		for _, l := range lines {
			p.line("%s", l)
		}
		for _, text := range c.proof {
			for i, line := range strings.Split(text, "\n") {
				p.wrap("       "+strings.Repeat(" ", 2*min(i, 1)), line)
			}
		}
		for _, d := range c.doubts {
			p.wrap("       ", d)
		}
	}
}

// got is the actual figure, or that there is none. It is written more exactly
// where rounding would make it look like the limit it is not.
func got(v targets.Verdict) string {
	if v.Status == targets.NoData {
		return "no data"
	}
	for digits := 3; digits < 9; digits++ {
		text := inTarget(v.Target.Unit(), v.Got, digits)
		if v.Got == v.Target.Limit || text != inTarget(v.Target.Unit(), v.Target.Limit, digits) {
			return text
		}
	}
	return v.Target.Unit().Format(v.Got)
}

func inTarget(u targets.Unit, v float64, digits int) string {
	switch u {
	case targets.Time:
		return exact(time.Duration(v), digits)
	case targets.Share:
		return significant(v*100, digits) + "%"
	case targets.PerRate:
		return significant(v, max(4, digits)) + "/s"
	}
	return significant(v, max(6, digits))
}

func (p *page) generator(r *measure.Result) {
	p.section("generator")
	p.wrap("   ", generator(r))
	for _, why := range r.Health.Away {
		p.wrap("   ✗ ", why)
	}
	for _, why := range r.Health.Invalid {
		p.wrap("   ✗ ", "invalid: "+why)
	}
	for _, why := range r.Health.Suspect {
		p.wrap("   ? ", "suspect: "+why)
	}
}

// generator is our own health: whether the figures may be believed.
func generator(r *measure.Result) string {
	h := r.Health
	parts := []string{fmt.Sprintf("own CPU %s of the machine", percent(h.CPU)), "longest GC pause " + took(h.GCPauseMax)}
	if h.Lag.N() > 0 {
		parts = append([]string{"lag p50 " + quantile(h.Lag, 0.50) + ", p99 " + quantile(h.Lag, 0.99) + ", max " + quantile(h.Lag, 1)}, parts...)
	}
	if h.Steal > 0 {
		parts = append(parts, "stolen "+percent(h.Steal))
	}
	if h.Peak > 0 {
		parts = append(parts, "at most "+count(int64(h.Peak))+" requests in flight")
	}
	if h.CapWait > 0 {
		parts = append(parts, took(h.CapWait)+" with every worker waiting for the server")
	}
	if r.Client != "" {
		parts = append(parts, "client "+r.Client)
	}
	return strings.Join(parts, " · ")
}
