package targets

import (
	"fmt"
	"math"
	"slices"
	"time"

	"vitals/internal/measure"
)

// Tail is how many answers must lie beyond a quantile for it to be judged:
// n·(1−q) ≥ 10, so a p95 needs 200 answers.
const Tail = 10

// Judge holds the sentences that are asked of the result's scenario against it,
// in their order. Latencies are response times from the due time, of what
// honest users were served, in the judged phases or the one the sentence
// names; histograms are merged exactly. What the result cannot answer is
// NoData with the reason. The same demand from two sources is judged once.
func Judge(ts []Target, r *measure.Result) []Verdict {
	var out []Verdict
	for i, t := range ts {
		if !t.Asked(r.Scenario) || slices.ContainsFunc(ts[:i], func(o Target) bool { return o.Asked(r.Scenario) && o.same(t) }) {
			continue
		}
		f := figureOf(t, ts, r)
		v := Verdict{Target: t, N: f.n, Note: f.note}
		if m := metrics[t.Metric]; f.missing == "" && (m.q > 0 || t.Metric == "mean") {
			if lag, relevant := r.Health.Own(time.Duration(f.got)); relevant {
				v.Note = joined(v.Note, fmt.Sprintf("our own lag, p99 %s, is in it", Time.Format(float64(lag))))
			}
		}
		switch own := ours(t, f, r); {
		case f.missing != "":
			v.Note = f.missing
		case own != "":
			v.Note = own
		case f.atLeast && (t.Op == "<" || t.Op == "<=" || t.Op == "=="), !t.holds(f.got):
			v.Status, v.Got = Fail, f.got
		default:
			v.Status, v.Got = Pass, f.got
		}
		out = append(out, v)
	}
	return out
}

// ours says that a time is missed by our own lag alone; "" where the system had a part
// in it. A user's next request is due when the user is ready for it, so whatever lies
// between that and its send is the generator's; where requests arrive at a rate, it may
// be waiting for a system that is slow.
func ours(t Target, f figure, r *measure.Result) string {
	m := metrics[t.Metric]
	if f.missing != "" || f.atLeast || m.q == 0 && t.Metric != "mean" || r.Model != "users" || t.holds(f.got) {
		return ""
	}
	s, _, _ := selected(t, r)
	if s.Service.N() != s.Response.N() {
		return ""
	}
	s.Response = s.Service
	if sent := timeOf(t, s); sent.missing == "" && t.holds(sent.got) {
		return fmt.Sprintf("not judged: %s, of which the system took %s: the rest is our own lag", Time.Format(f.got), Time.Format(sent.got))
	}
	return ""
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// same tells whether both demand the same, wherever they are written.
func (t Target) same(o Target) bool {
	return t.Metric == o.Metric && t.Step == o.Step && t.Op == o.Op && t.Limit == o.Limit && t.During == o.During && t.For == o.For
}

// holds compares; equality allows for the rounding of a decimal limit.
func (t Target) holds(got float64) bool {
	equal := math.Abs(got-t.Limit) <= 1e-9*max(1, math.Abs(t.Limit))
	switch t.Op {
	case "<":
		return got < t.Limit && !equal
	case "<=":
		return got <= t.Limit || equal
	case ">":
		return got > t.Limit && !equal
	case ">=":
		return got >= t.Limit || equal
	case "==":
		return equal
	case "!=":
		return !equal
	}
	return false
}

// certain is "every" for a demand that the figures of every result meet, "no" for one
// that none can meet, else "".
func (t Target) certain(u Unit) string {
	top := math.Inf(1)
	if u == Share {
		top = 1
	}
	least, most := t.holds(0), t.holds(top)
	switch equality := t.Op == "==" || t.Op == "!="; {
	case equality && t.Limit <= top, least != most:
		return ""
	case least:
		return "every"
	}
	return "no"
}

// figure is what a result answers: got of n observations, or why not.
type figure struct {
	got     float64
	n       int64
	note    string
	atLeast bool   // the figure may be larger than got
	missing string // why there is no figure; "" when there is
}

func none(format string, args ...any) figure { return figure{missing: fmt.Sprintf(format, args...)} }

func figureOf(t Target, all []Target, r *measure.Result) figure {
	m, ok := metrics[t.Metric]
	switch {
	case !ok:
		return none("unknown metric %q", t.Metric)
	case t.For > 0:
		return none("a window (for %s) belongs to an abort rule", t.For)
	case t.Metric == "lag":
		return quantile(r.Health.Lag, 0.99)
	case t.Metric == "recovery":
		return recovery(t, all, r)
	case t.Metric == "goodput":
		return goodput(r)
	case t.Metric == "knee":
		return knee(all, r)
	case !m.phase:
		return fact(t.Metric, m.unit, r)
	}
	s, window, reason := selected(t, r)
	if reason != "" {
		return none("%s", reason)
	}
	switch c := s.Counts; {
	case m.q > 0 || t.Metric == "mean":
		return timeOf(t, s)
	case t.Metric == "rps":
		if c.Sent == 0 {
			return none("nothing was sent in the judged window")
		}
		f := figure{got: float64(c.Timely()) / window.Seconds(), n: c.Timely()}
		if c.Tardy > 0 {
			f.note = fmt.Sprintf("%d more were served after the window, and count in no rate", c.Tardy)
		}
		return f
	default:
		return share(t, c)
	}
}

// timeOf is a quantile or the mean of what was served.
func timeOf(t Target, s measure.StepResult) figure {
	if q := metrics[t.Metric].q; q > 0 {
		return quantile(s.Response, q)
	}
	d, ok := s.Response.Mean()
	if !ok {
		return none("nothing was served in the judged window (n = 0)")
	}
	f := figure{got: float64(d), n: s.Response.N()}
	if over := s.Response.Clamped(); over > 0 {
		f.atLeast, f.note = true, fmt.Sprintf("%d of them took %s or longer, and count as that: the mean is at least this", over, measure.Longest)
	}
	return f
}

// selected merges the honest steps that the sentence is about, and measures the
// window they were sent in. A phase that an interrupt cut short counts as long
// as it lasted.
func selected(t Target, r *measure.Result) (s measure.StepResult, window time.Duration, reason string) {
	steps, phases := 0, 0
	for _, p := range r.Phases {
		if t.During == "" && !p.Judged || t.During != "" && p.Name != t.During {
			continue
		}
		phases++
		to := p.To
		if r.Took > 0 {
			to = min(to, r.Took)
		}
		window += max(0, to-p.From)
		for _, step := range p.Steps {
			if step.Step.Intruder || t.Step != "" && step.Step.Name != t.Step {
				continue
			}
			steps++
			s.Merge(step)
		}
	}
	switch {
	case phases == 0 && t.During != "":
		reason = fmt.Sprintf("the run had no phase %q", t.During)
	case phases == 0:
		reason = "the run had no judged phase"
	case steps == 0 && t.Step != "":
		reason = fmt.Sprintf("step %q did not occur in the judged window", t.Step)
	case window <= 0:
		reason = "the run ended before the judged window"
	}
	return s, window, reason
}

func quantile(h *measure.Histogram, q float64) figure {
	n := h.N()
	if n == 0 {
		return none("nothing was measured (n = 0)")
	}
	if need := int64(math.Ceil(Tail/(1-q) - 1e-6)); q < 1 && n < need {
		return none("n = %d is too few: p%g needs %d answers, %d beyond it", n, q*100, need, Tail)
	}
	d, _ := h.Quantile(q)
	if q == 1 {
		d, _ = h.Max()
	}
	f := figure{got: float64(d), n: n}
	if clamped := h.Clamped(); clamped > 0 && (q == 1 || float64(n-clamped) < math.Ceil(q*float64(n)*(1-1e-12))) {
		f.got, f.atLeast, f.note = float64(measure.Longest), true, fmt.Sprintf("%s or longer: no longer time is measured", measure.Longest)
	}
	return f
}

func share(t Target, c measure.Counts) figure {
	of := map[string][2]int64{
		"errors":  {c.Errors, c.Judged()},
		"failed":  {c.Failed - c.Ours, c.Judged()},
		"refused": {c.Refused, c.Judged()},
		"late":    {c.Late, c.Sent},
		"dropped": {c.Dropped, c.Planned},
	}[t.Metric]
	if of[1] == 0 {
		return none("nothing was sent in the judged window (n = 0)")
	}
	f := figure{got: float64(of[0]) / float64(of[1]), n: of[1]}
	if one := 1 / float64(of[1]); of[0] <= 1 && t.Limit > 0 && one > t.Limit {
		f.note = fmt.Sprintf("one of %d is already %s", of[1], Share.Format(one))
	}
	return f
}

// fact looks a dotted metric or cpu up. A fact's shares are fractions, whatever
// the unit it is shown in; its times are seconds.
func fact(name string, u Unit, r *measure.Result) figure {
	f, ok := r.Fact(name)
	if !ok {
		if takes := metrics[name].takes; takes != "" {
			return none("it takes %s", takes)
		}
		return none("%s was not measured", name)
	}
	v := f.Value
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none("%s is no number", name)
	}
	if u == Time {
		v *= float64(time.Second)
	}
	return figure{got: v, n: f.N, note: f.Note}
}
