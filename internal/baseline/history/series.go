package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
)

// Series is one metric over the nights of one scenario on one kind of machine,
// oldest first. A fleet of two kinds of machines makes two series.
type Series struct {
	Class, Scenario, Load, Metric string
	Nights                        []Night
	accepted                      []int             // first nights of accepted levels
	reasons                       map[string]string // why, by session
	several                       bool              // its scenario was run under other loads too
}

// About says on what kind of machine the nights were, how many there are, and under
// which load where the scenario was run under several: those are series of their own.
func (s *Series) About() string {
	text := fmt.Sprintf("environment class %s", s.Class)
	if s.several {
		text += fmt.Sprintf(", load %.8s", strings.TrimPrefix(s.Load, "sha256:"))
	}
	return text + ", " + nights(len(s.Nights))
}

// Series of the store, in the order of class, scenario and metric.
func (s *Store) Series() []Series {
	var out []Series
	for _, n := range s.Nights {
		i := slices.IndexFunc(out, func(o Series) bool {
			return o.Class == n.Class && o.Scenario == n.Scenario && o.Load == n.Load && o.Metric == n.Metric
		})
		if i < 0 {
			i = len(out)
			out = append(out, Series{Class: n.Class, Scenario: n.Scenario, Load: n.Load, Metric: n.Metric})
		}
		out[i].Nights = append(out[i].Nights, n)
	}
	for i := range out {
		out[i].several = slices.ContainsFunc(out, func(o Series) bool {
			return o.Class == out[i].Class && o.Scenario == out[i].Scenario && o.Load != out[i].Load
		})
		slices.SortStableFunc(out[i].Nights, func(a, b Night) int { return a.Time.Compare(b.Time) })
		for at, n := range out[i].Nights {
			if slices.ContainsFunc(s.Accepted, func(a Accepted) bool { return a.Session == n.Session }) {
				out[i].accepted = append(out[i].accepted, at)
				if out[i].reasons == nil {
					out[i].reasons = map[string]string{}
				}
				out[i].reasons[n.Session] = s.Reason(n.Session)
			}
		}
	}
	order := baseline.Metrics()
	slices.SortStableFunc(out, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Load, b.Load),
			cmp.Compare(slices.Index(order, a.Metric), slices.Index(order, b.Metric)))
	})
	return out
}

// values of the nights, signed so that larger is worse.
func (s Series) values() []float64 {
	sign := baseline.Sign(s.Metric)
	out := make([]float64, len(s.Nights))
	for i, n := range s.Nights {
		out[i] = sign * n.Mean
	}
	return out
}

// current is the index of the first night since the last accepted change.
func (s Series) current() int {
	if len(s.accepted) == 0 {
		return 0
	}
	return s.accepted[len(s.accepted)-1]
}

// Finding is a change of level that was seen, or is suspected.
type Finding struct {
	Series   *Series
	At       int     // index of the first night of the new level
	Step     float64 // relative change of the figure itself: 0.15 is +15 %
	P        float64 // of a change point; 0 of a suspicion
	Suspect  bool    // only the two newest nights say so
	Accepted bool
	Worse    bool
}

// freshNights is how long a change asks for a duet.
const freshNights = 14

// Fresh says whether the finding asks for a duet: on the worse side, not
// accepted, and at most 14 nights old.
func (f Finding) Fresh() bool {
	return f.Worse && !f.Accepted && len(f.Series.Nights)-f.At <= freshNights
}

// Confirm is the duet that would confirm it: the last build of the old level
// against tonight's.
func (f Finding) Confirm() string { return f.duet().Command() }

func (f Finding) duet() baseline.Duet {
	subject := func(n Night) baseline.Subject { return baseline.Subject{GitRev: n.Rev, Ref: n.Ref} }
	tonight := f.Series.Nights[len(f.Series.Nights)-1]
	return baseline.Duet{
		Old: subject(f.Series.Nights[f.At-1]), New: subject(tonight), Stack: tonight.Stack,
		Scenarios: []string{cmp.Or(tonight.Named, f.Series.Scenario)}, Flags: tonight.Flags,
	}
}

// Findings of a series: its change points, the accepted ones among them, and
// the suspicion of the two newest nights where no change point says it already.
// Error rates have none: their scale is no ratio.
func (s *Series) Findings() (out []Finding) {
	if !baseline.Logarithmic(s.Metric) {
		return nil
	}
	sign := baseline.Sign(s.Metric)
	x := s.values()
	relative := func(step float64) float64 { return math.Expm1(sign * step) }
	from := s.current()
	points := stats.ChangePoints(x[from:])
	// A level lasts until the next one, accepted or not.
	levels := slices.Concat([]int{0}, s.accepted)
	for _, c := range points {
		levels = append(levels, from+c.At)
	}
	levels = append(slices.Compact(levels), len(x))
	for i, at := range levels {
		if at > 0 && slices.Contains(s.accepted, at) {
			step := stats.Median(x[at:levels[i+1]]) - stats.Median(x[levels[i-1]:at])
			out = append(out, Finding{Series: s, At: at, Step: relative(step), Accepted: true, Worse: step > 0})
		}
	}
	last := from
	for _, c := range points {
		last = from + c.At
		out = append(out, Finding{Series: s, At: last, Step: relative(c.Step), P: c.P, Worse: c.Step > 0})
	}
	if stats.TwoNights(x[last:]) {
		at := len(x) - 2
		step := stats.Mean(x[at:]) - stats.Median(x[last:at])
		out = append(out, Finding{Series: s, At: at, Step: relative(step), Suspect: true, Worse: true})
	}
	return out
}

// segments are the values of the nights between accepted changes, without
// those of one session.
func (s Series) segments(without string) (out [][]float64) {
	var seg []float64
	for i, n := range s.Nights {
		if slices.Contains(s.accepted, i) && len(seg) > 0 {
			out, seg = append(out, seg), nil
		}
		if n.Session != without {
			seg = append(seg, n.Mean)
		}
	}
	if len(seg) > 0 {
		out = append(out, seg)
	}
	return out
}

// sessionsOfBuild is how many sessions of the old build are taken together.
const sessionsOfBuild = 10

// Past is what a comparison of two files asks of history: the spread between
// sessions on the same kind of machine, and the sessions of the old build.
func (s *Store) Past(old, new *baseline.File) func(scenario, metric string) baseline.Past {
	all := s.Series()
	return func(scenario, metric string) (p baseline.Past) {
		load := old.Load(scenario)
		for _, series := range all {
			if series.Class != old.Env.Class || series.Scenario != scenario || series.Load != load || series.Metric != metric {
				continue
			}
			p.Segments = series.segments(new.Session.ID)
			for _, n := range series.Nights {
				same := n.Session == old.Session.ID || n.Rev != "" && n.Rev == old.Subject.GitRev && !old.Subject.Dirty
				if same && n.Session != new.Session.ID {
					p.Old = append(p.Old, n.Mean)
				}
			}
		}
		if !slices.ContainsFunc(s.Nights, func(n Night) bool { return n.Session == old.Session.ID }) {
			for _, m := range old.Means() {
				if m.Scenario == scenario && m.Metric == metric {
					p.Old = append(p.Old, m.Mean)
				}
			}
		}
		p.Old = p.Old[max(0, len(p.Old)-sessionsOfBuild):]
		return p
	}
}

// Words say what was found, in one line.
func (f Finding) Words() string {
	n := f.Series.Nights[f.At]
	where := fmt.Sprintf("%s, session %s", n.Time.Format("2006-01-02"), n.Session)
	if n.Rev != "" {
		where += fmt.Sprintf(", revision %.12s", n.Rev)
	}
	side := map[bool]string{true: "worse", false: "better"}[f.Worse]
	switch {
	case f.Accepted:
		return fmt.Sprintf("accepted change %+.1f %% at %s: %s", 100*f.Step, where, f.Series.reasons[n.Session])
	case f.Suspect:
		return fmt.Sprintf("SUSPECT %+.1f %% (%s) in the two newest nights, from %s", 100*f.Step, side, where)
	}
	return fmt.Sprintf("CHANGE %+.1f %% (%s) at %s, p = %.1g", 100*f.Step, side, where, f.P)
}
