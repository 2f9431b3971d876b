package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/targets"
)

// grid is a table of the report, whatever form it is shown in.
type grid struct {
	title string
	cols  []column
	rows  [][]string
	links map[string]string // cell → address, where there is one
}

// bySteps is the judged window by step: honest ones first, their sum, then the
// intruders.
func bySteps(r *measure.Result) grid {
	g := grid{
		title: "by step, judged window (times from the due time; service = p95 from the send)",
		cols: []column{
			{title: "step", words: true}, {title: "total"}, {title: "ok"}, {title: "refused"}, {title: "failed"},
			{title: "p50", spare: 2}, {title: "p95"}, {title: "p99"}, {title: "max", spare: 3}, {title: "service"},
		},
	}
	var hostile [][]string
	for _, s := range r.Steps(true) {
		if s.Counts == (measure.Counts{}) && s.Step.Journey == measure.Session {
			continue // nobody had to sign in or out in the judged window
		}
		if s.Step.Intruder {
			hostile = append(hostile, step(s.Step.Name+" (intruder)", s))
		} else {
			g.rows = append(g.rows, step(s.Step.Name, s))
		}
	}
	if len(g.rows) > 0 {
		g.rows = append(g.rows, step("all honest", r.Total(true, true)))
	}
	g.rows = append(g.rows, hostile...)
	return g
}

func step(name string, s measure.StepResult) []string {
	c := s.Counts
	return []string{
		name, count(c.Sent), count(c.Served), count(c.Refused), count(c.Failed),
		quantile(s.Response, 0.50), quantile(s.Response, 0.95), quantile(s.Response, 0.99), quantile(s.Response, 1), quantile(s.Service, 0.95),
	}
}

// byPhase sets ramp and plateau apart; it is empty of a run with one phase.
func byPhase(r *measure.Result) grid {
	g := grid{title: "by phase", cols: []column{
		{title: "phase", words: true}, {words: true}, {title: "from"}, {title: "to"}, {title: "total"}, {title: "served"},
		{title: "p50", spare: 2}, {title: "p95"}, {title: "p99", spare: 1}, {title: "errors"},
	}}
	if len(r.Phases) < 2 {
		return g
	}
	for _, ph := range r.Phases {
		one := measure.Result{Phases: []measure.PhaseResult{ph}}
		t := one.Total(true, false)
		judged := ""
		if ph.Judged {
			judged = "judged"
		}
		to := ph.To
		if r.Took > 0 { // one that was cut short counts as long as it lasted
			to = max(ph.From, min(to, r.Took))
		}
		g.rows = append(g.rows, []string{
			ph.Name, judged, took(ph.From), took(to), count(t.Counts.Sent), rate(t.Counts.Timely(), to-ph.From),
			quantile(t.Response, 0.50), quantile(t.Response, 0.95), quantile(t.Response, 0.99), share(t.Counts.Errors, t.Counts.Judged()),
		})
	}
	return g
}

// felt is what the system under test said of itself meanwhile, drawn in so many
// columns; not drawn in none.
func felt(s measure.Series, wide int) grid {
	g := grid{
		title: "what the server felt, every " + took(s.Every),
		cols:  []column{{title: "gauge", words: true}, {title: "mean"}, {title: "peak"}, {title: "over time", words: true}},
	}
	gauges := map[string][]float64{}
	for _, sl := range s.Slices {
		for name, v := range sl.Gauges {
			gauges[name] = append(gauges[name], v)
		}
	}
	for _, name := range sortedKeys(gauges) {
		vs := gauges[name]
		if slices.Max(vs) == 0 && slices.Min(vs) == 0 {
			continue // it was never felt
		}
		var sum float64
		for _, v := range vs {
			sum += v
		}
		show := number
		if slices.Contains([]string{"cpu", "cpu_throttled", "cpu_wait", "pg_cache_hit"}, name) { // shares
			show = percent
		}
		row := []string{name, show(sum / float64(len(vs))), show(slices.Max(vs))}
		if wide > 0 {
			row = append(row, sparkline(vs, wide))
		}
		g.rows = append(g.rows, row)
	}
	if wide <= 0 {
		g.cols = g.cols[:3]
	}
	return g
}

// proof is what was read from the system itself before and after.
func proof(es []Evidence) grid {
	g := grid{
		title: "evidence, read from the system itself",
		cols:  []column{{title: "figure", words: true}, {title: "before"}, {title: "after"}, {title: "difference"}},
	}
	for _, e := range es {
		if e.Before == e.After {
			continue
		}
		g.rows = append(g.rows, []string{e.Name, number(e.Before), number(e.After), number(e.After - e.Before)})
	}
	return g
}

// slowest and unexpected are the requests to look for in the server's log; the
// document has more of them.
func slowest(r *measure.Result, most int) grid {
	g := exemplars("slowest", r.Slowest, most, "service", func(e measure.Exemplar) string { return took(e.Service) })
	g.cols[4].words = false
	return g
}

func unexpected(r *measure.Result, most int) grid {
	es, kinds := firstOfEach(r.Failures)
	return exemplars("not as expected", es, max(most, min(kinds, mostKinds)), "why", why)
}

func exemplars(title string, es []measure.Exemplar, most int, last string, of func(measure.Exemplar) string) grid {
	if len(es) > most {
		title += fmt.Sprintf(" (%d of %d kept)", most, len(es))
		es = es[:most]
	}
	g := grid{title: title, cols: []column{
		{title: "step", words: true}, {title: "due at"}, {title: "response"}, {title: "status"},
		{title: last, words: true}, {title: "X-Request-ID", words: true},
	}}
	traced := slices.ContainsFunc(es, func(e measure.Exemplar) bool { return e.TraceURL != "" })
	if traced {
		g.cols = append(g.cols, column{title: "trace", words: true, spare: 1})
		g.links = map[string]string{}
	}
	for _, e := range es {
		row := []string{e.Step, took(e.At), took(e.Response), code(e.Code), of(e), e.RequestID}
		if traced {
			row = append(row, e.TraceID)
			g.links[e.TraceID] = e.TraceURL
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// why is in which way a request did not go as expected: what was expected and what
// came, where that is known.
func why(e measure.Exemplar) string {
	words := cmp.Or(e.Why, e.Class)
	if e.Body != "" {
		words += ": " + e.Body
	}
	return words
}

// came is a request that did not go as expected, in words.
func came(e measure.Exemplar) string {
	words := e.Step + " at " + took(e.At)
	switch {
	case e.Why != "":
		words += ": " + e.Why
	case e.Code != 0:
		words += ": got " + code(e.Code)
	default:
		words += ": " + e.Class
	}
	if e.Body != "" {
		words += ": " + e.Body
	}
	if e.RequestID != "" {
		words += ", X-Request-ID " + e.RequestID
	}
	return words
}

// firstOfEach puts one of every class first, then one of every other kind: a step, and
// what was expected of it and came. So no rare trouble is hidden behind a common one.
// kinds is how many of them there are.
func firstOfEach(es []measure.Exemplar) (ordered []measure.Exemplar, kinds int) {
	var class, kind, rest []measure.Exemplar
	seen := map[string]bool{}
	for _, e := range es {
		own := kindOf(e)
		switch {
		case !seen["class "+e.Class]:
			class = append(class, e)
		case !seen[own]:
			kind = append(kind, e)
		default:
			rest = append(rest, e)
		}
		seen["class "+e.Class], seen[own] = true, true
	}
	return slices.Concat(class, kind, rest), len(class) + len(kind)
}

// kindOf is what a failure has in common with others of its kind: the values that came
// differ from one to the next.
func kindOf(e measure.Exemplar) string {
	expected, _, _ := strings.Cut(e.Why, ", got ")
	expected, _, _ = strings.Cut(expected, ", it took ")
	return fmt.Sprint("kind ", e.Step, "\n", e.Class, "\n", e.Code, "\n", expected)
}

// mostKinds is how many kinds of failures are shown at the most, where fewer requests
// would do.
const mostKinds = 40

func code(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

// said is a fact in plain words.
type said struct{ figure, words string }

// lockout and others are the facts, each in plain words. What a target has judged
// stands there, and is not said twice.
func lockout(r *Run) []said {
	return say(r, func(name string) bool { return strings.HasPrefix(name, "lockout.") })
}

func others(r *Run) []said {
	return say(r, func(name string) bool { return !strings.HasPrefix(name, "lockout.") })
}

func say(r *Run, in func(string) bool) (out []said) {
	for _, f := range r.Result.Facts {
		told := slices.ContainsFunc(r.Verdicts, func(v targets.Verdict) bool { return v.Target.Metric == f.Name && v.Status != targets.NoData })
		if told || !in(f.Name) {
			continue
		}
		words := targets.About(f.Name)
		if words == "" {
			words = f.Name
		}
		if f.N > 0 {
			words += " (" + plural64(f.N, "observation") + ")"
		}
		if f.Note != "" {
			words += ": " + f.Note
		}
		out = append(out, said{figure(f), words})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// causes are what rose with p95, in words.
func causes(r *Run) (out []string) {
	for _, c := range observe.Attribute(measure.Series{Every: r.Result.Series.Every, Slices: first(whole(r.Result))}) {
		out = append(out, c.Words)
	}
	return out
}

func first[A, B any](a A, _ B) A { return a }

// byQuantile is the latency distribution of all honest steps in figures.
func byQuantile(r *measure.Result) grid {
	g := grid{title: "latency distribution, judged window", cols: []column{{title: "share of answers", words: true}, {title: "response"}, {title: "service"}, {title: "slower"}}}
	total := r.Total(true, true)
	n := total.Response.N()
	for _, q := range []float64{0.50, 0.75, 0.90, 0.95, 0.99, 0.999, 0.9999, 1} {
		beyond := int64(float64(n)*(1-q) + 0.5)
		if n == 0 || q < 1 && beyond < targets.Tail {
			continue // too few lie beyond it for the figure to mean anything
		}
		name := significant(q*100, 6) + "%"
		if q == 1 {
			name = "slowest"
		}
		g.rows = append(g.rows, []string{name, quantile(total.Response, q), quantile(total.Service, q), count(beyond)})
	}
	return g
}
