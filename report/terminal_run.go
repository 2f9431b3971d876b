package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vitals/measure"
	"vitals/targets"
)

// run is one scenario, from its verdict to the requests to look at.
func (p *page) run(r *Run) {
	res := r.Result
	title := "── " + res.Scenario + " "
	p.line("")
	p.line("%s%s %s", p.paint(bold, title), strings.Repeat("─", max(2, p.width()-columns(title)-columns(r.Verdict)-1)), p.verdict(r.Verdict))
	p.wrap("  ", about(res))
	if res.Partial {
		p.wrap("  ! ", "partial: the run was interrupted; this is what was measured until then")
	}
	if res.EndedEarly != "" {
		p.wrap("  ! ", "ended early: "+res.EndedEarly)
	}
	p.line("")
	p.verdicts(r.Verdicts)
	p.steps(res)
	p.phases(res)
	p.facts(res.Facts)
	p.felt(res.Series, r.Evidence)
	p.generator(res)
	p.exemplars(res)
	if len(res.Notes) > 0 {
		p.section("notes")
		for _, n := range res.Notes {
			p.wrap("   · ", n)
		}
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
			n := "  n " + count(v.N)
			line, plain = line+n, plain+columns(n)
		}
		switch {
		case v.Note == "":
			p.line("%s", line)
		case plain+2+columns(v.Note) <= p.width():
			p.line("%s  %s", line, p.paint(dim, v.Note))
		default:
			p.line("%s", line)
			p.wrap("       ", v.Note)
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

// steps is the judged window by step, honest ones first, their sum, then the
// intruders.
func (p *page) steps(r *measure.Result) {
	var honest, hostile [][]string
	for _, s := range r.Steps(true) {
		row := step(s.Step.Name, s)
		if s.Step.Intruder {
			hostile = append(hostile, row)
		} else {
			honest = append(honest, row)
		}
	}
	if len(honest) == 0 {
		return
	}
	total := step("all honest", r.Total(true, true))
	for i := range hostile {
		hostile[i][0] += " (intruder)"
	}
	p.section("by step, judged window (times from the due time; service = p95 from the send)")
	p.table([]column{
		{title: "step", words: true}, {title: "total"}, {title: "ok"}, {title: "refused"}, {title: "failed"},
		{title: "p50", spare: 2}, {title: "p95"}, {title: "p99"}, {title: "max", spare: 3}, {title: "service"},
	}, slices.Concat(honest, [][]string{total}, hostile))
}

func step(name string, s measure.StepResult) []string {
	c := s.Counts
	return []string{
		name, count(c.Sent), count(c.Served), count(c.Refused), count(c.Failed),
		quantile(s.Response, 0.50), quantile(s.Response, 0.95), quantile(s.Response, 0.99), quantile(s.Response, 1), quantile(s.Service, 0.95),
	}
}

// phases is shown when the run had several, so that ramp and plateau stand
// apart.
func (p *page) phases(r *measure.Result) {
	if len(r.Phases) < 2 {
		return
	}
	var rows [][]string
	for _, ph := range r.Phases {
		one := measure.Result{Phases: []measure.PhaseResult{ph}}
		t := one.Total(true, false)
		judged := ""
		if ph.Judged {
			judged = "judged"
		}
		rows = append(rows, []string{
			ph.Name, judged, took(ph.From), took(ph.To), count(t.Counts.Sent), rate(t.Counts.Served, ph.To-ph.From),
			quantile(t.Response, 0.50), quantile(t.Response, 0.95), quantile(t.Response, 0.99), share(t.Counts.Errors, t.Counts.Sent),
		})
	}
	p.section("by phase")
	p.table([]column{
		{title: "phase", words: true}, {words: true}, {title: "from"}, {title: "to"}, {title: "total"}, {title: "served"},
		{title: "p50", spare: 2}, {title: "p95"}, {title: "p99", spare: 1}, {title: "errors"},
	}, rows)
}

// facts are the lockout in plain words, then the other figures.
func (p *page) facts(facts []measure.Fact) {
	group := func(title string, in func(string) bool) {
		first := true
		for _, f := range facts {
			if !in(f.Name) {
				continue
			}
			if first {
				p.section(title)
				first = false
			}
			words := targets.About(f.Name)
			if words == "" {
				words = f.Name
			}
			if f.N > 0 {
				words += fmt.Sprintf(" (n %s)", count(f.N))
			}
			if f.Note != "" {
				words += ": " + f.Note
			}
			p.wrap("   "+pad(figure(f), 8)+"  ", words)
		}
	}
	lockout := func(name string) bool { return strings.HasPrefix(name, "lockout.") }
	group("lockout", lockout)
	group("figures", func(name string) bool { return !lockout(name) })
}

// felt is what the system under test said of itself meanwhile.
func (p *page) felt(s measure.Series, evidence []Evidence) {
	gauges := map[string][]float64{}
	for _, sl := range s.Slices {
		for name, v := range sl.Gauges {
			gauges[name] = append(gauges[name], v)
		}
	}
	var rows [][]string
	for _, name := range sortedKeys(gauges) {
		vs := gauges[name]
		var sum float64
		for _, v := range vs {
			sum += v
		}
		rows = append(rows, []string{name, number(sum / float64(len(vs))), number(slices.Max(vs)), sparkline(vs, min(40, p.width()-60))})
	}
	if len(rows) > 0 {
		p.section("what the server felt, every " + took(s.Every))
		p.table([]column{{title: "gauge", words: true}, {title: "mean"}, {title: "peak"}, {title: "over time", words: true}}, rows)
	}
	rows = nil
	for _, e := range evidence {
		rows = append(rows, []string{e.Name, number(e.Before), number(e.After), number(e.After - e.Before)})
	}
	if len(rows) > 0 {
		p.section("evidence, read from the system itself")
		p.table([]column{{title: "figure", words: true}, {title: "before"}, {title: "after"}, {title: "difference"}}, rows)
	}
}

// generator is our own health: whether the figures may be believed.
func (p *page) generator(r *measure.Result) {
	h := r.Health
	p.section("generator")
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
	p.wrap("   ", strings.Join(parts, " · "))
	for _, why := range h.Invalid {
		p.wrap("   ✗ ", "invalid: "+why)
	}
	for _, why := range h.Suspect {
		p.wrap("   ? ", "suspect: "+why)
	}
}

// shown is how many exemplars of a kind the text has; the document has more.
const shown = 5

func (p *page) exemplars(r *measure.Result) {
	table := func(title string, es []measure.Exemplar, last string, of func(measure.Exemplar) string) {
		if len(es) == 0 {
			return
		}
		if len(es) > shown {
			title += fmt.Sprintf(" (%d of %d kept)", shown, len(es))
		}
		var rows [][]string
		for _, e := range es[:min(shown, len(es))] {
			rows = append(rows, []string{e.Step, took(e.At), took(e.Response), code(e.Code), of(e), e.RequestID})
		}
		p.section(title)
		p.table([]column{
			{title: "step", words: true}, {title: "due at"}, {title: "response"}, {title: "status"},
			{title: last, words: true}, {title: "X-Request-ID", words: true},
		}, rows)
	}
	table("slowest", r.Slowest, "service", func(e measure.Exemplar) string { return took(e.Service) })
	table("not as expected", firstOfEach(r.Failures), "why", func(e measure.Exemplar) string { return e.Class })
}

// firstOfEach puts one of every class before the seconds, so that a rare
// trouble is not hidden behind a common one.
func firstOfEach(es []measure.Exemplar) []measure.Exemplar {
	var first, rest []measure.Exemplar
	seen := map[string]bool{}
	for _, e := range es {
		if seen[e.Class] {
			rest = append(rest, e)
			continue
		}
		seen[e.Class] = true
		first = append(first, e)
	}
	return append(first, rest...)
}

func code(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
