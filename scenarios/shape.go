package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// shape is a load as it is written: users with a spawn rate, or stages, or
// arrivals.
type shape struct {
	node      *yaml.Node // the mapping it stands in
	users     *yaml.Node
	spawn     *yaml.Node
	runFor    *yaml.Node
	stages    *yaml.Node
	arrivals  *yaml.Node
	rate      *yaml.Node // arrivals at one rate
	of        Load
	count     int
	perSecond float64
	length    time.Duration
	broken    bool     // a part of it could not be read, which was told
	phases    []string // names of those that it has, or could have where it is broken; none = nobody knows
}

func (s *shape) fields(r *reader) strict.Fields {
	return strict.Fields{
		"users": func(n *yaml.Node) {
			s.users = n
			s.broken = r.failing(func() { s.count = int(r.level(n, float64(r.Int(n, "users", 1)))) }) || s.broken
		},
		"spawn_rate": func(n *yaml.Node) {
			s.spawn = n
			s.broken = r.failing(func() { s.perSecond = r.some(n, "spawn_rate") }) || s.broken
		},
		"run_for":  func(n *yaml.Node) { s.readLength(r, n) },
		"stages":   func(n *yaml.Node) { s.stages = n },
		"arrivals": func(n *yaml.Node) { s.arrivals = n; r.Fields(n, "arrivals", s.openFields(r)) },
		"share":    func(n *yaml.Node) { s.of.Share = r.Int(n, "share", 1) },
		"sign_in": func(n *yaml.Node) {
			switch w := SignIn(r.Word(n, "sign_in")); w {
			case Inside, Before, "":
				s.of.SignIn = w
			default:
				r.Fail(n, strict.Hint(string(w), []string{string(Inside), string(Before)}), "sign_in: found %q, expected inside or before", w)
			}
		},
	}
}

// readLength reads run_for.
func (s *shape) readLength(r *reader, n *yaml.Node) {
	s.runFor = n
	s.broken = r.failing(func() {
		if s.length = r.positive(n, "run_for"); s.length > MaxStage {
			r.Fail(n, "", "run_for: found %q, expected at most %.0fh: no longer load can be planned exactly", n.Value, MaxStage.Hours())
		}
	}) || s.broken
}

// failing tells whether read noted a mistake.
func (r *reader) failing(read func()) bool {
	before := len(r.Errors())
	read()
	return len(r.Errors()) > before
}

// openFields are those of the open model.
func (s *shape) openFields(r *reader) strict.Fields {
	return strict.Fields{
		"rate": func(n *yaml.Node) {
			s.rate = n
			s.broken = r.failing(func() { s.perSecond = r.level(n, r.Rate(n, "rate")) }) || s.broken
		},
		"run_for":  func(n *yaml.Node) { s.readLength(r, n) },
		"stages":   func(n *yaml.Node) { s.stages = n },
		"poisson":  func(n *yaml.Node) { s.of.Poisson = r.Bool(n, "poisson") },
		"grid":     func(n *yaml.Node) { s.of.Grid = r.Duration(n, "grid") },
		"workers":  func(n *yaml.Node) { s.of.Workers = r.Int(n, "workers", 1) },
		"max_late": func(n *yaml.Node) { s.of.MaxLate = r.Duration(n, "max_late") },
	}
}

// load is the curve that the shape means.
func (s *shape) load(r *reader, signIn SignIn) Load {
	l := s.of
	l.Model, l.Share = Users, max(1, l.Share)
	if l.SignIn == "" {
		l.SignIn = signIn
	}
	if s.arrivals != nil {
		l.Model = Arrivals
	}
	before := len(r.Errors())
	switch {
	case s.node.Kind != yaml.MappingNode:
	case s.arrivals != nil && s.users != nil:
		r.Fail(s.users, "users wait for answers, arrivals do not", "found users beside arrivals, expected one of them")
	case s.arrivals != nil && s.spawn != nil:
		r.Fail(s.spawn, "spawn_rate goes with users", "found spawn_rate beside arrivals")
	case s.stages != nil && (s.users != nil || s.spawn != nil || s.rate != nil || s.runFor != nil):
		r.Fail(s.stages, "the stages say how many and how long", "found stages beside users, rate, spawn_rate or run_for, expected one form")
	case s.stages != nil:
		l.Stages = r.stages(s.stages, l.Model)
	case s.arrivals != nil:
		l.Stages = s.constant(r)
	default:
		l.Stages = s.spawned(r)
	}
	s.phases = l.names()
	if len(r.Errors()) > before || len(l.Stages) == 0 {
		s.phases = s.possible(l)
		l.Stages = nil // others are meant
	}
	if len(l.Stages) == 0 { // what kept it from being read is told
		return l
	}
	if l.Peak() <= 0 {
		r.Fail(s.place(), "", "the load stays at 0")
	} else if !l.judged() {
		r.Fail(s.place(), "write judged: true in a stage", "no stage is judged")
	}
	return l
}

// possible are the phases of a load with a mistake: those of the stages that were read,
// and those of the forms without any.
func (s *shape) possible(l Load) []string {
	if s.stages != nil && len(l.Stages) == 0 || s.stages == nil && s.users == nil && s.rate == nil {
		return nil
	}
	return append(l.names(), "hold", "ramp")
}

// place is where the levels of the load stand.
func (s *shape) place() *yaml.Node {
	for _, n := range []*yaml.Node{s.stages, s.users, s.rate, s.arrivals} {
		if n != nil {
			return n
		}
	}
	return s.node
}

// spawned is the closed model's short form: a ramp that is not judged, because a
// sign-in storm is no steady state, then a hold that is.
// run_for is both together.
func (s *shape) spawned(r *reader) []Stage {
	for _, f := range []struct {
		name, as string
		node     *yaml.Node
	}{{"users", "500", s.users}, {"run_for", "10m", s.runFor}} {
		if f.node == nil && !r.Odd(s.node) {
			r.Fail(s.node, fmt.Sprintf("as in %s: %s; or write stages, or arrivals", f.name, f.as), "the load needs %s", f.name)
		}
	}
	if s.users == nil || s.runFor == nil || s.broken {
		return nil
	}
	users := float64(s.count)
	if s.spawn == nil {
		return []Stage{{Name: "hold", From: users, To: users, For: s.length, Judged: true}}
	}
	ramp := time.Duration(users / s.perSecond * float64(time.Second)).Round(time.Microsecond)
	if ramp >= s.length {
		r.Fail(s.runFor, "make it longer, or spawn faster", "run_for: found %q, but %d users at %s need %s to be there", s.runFor.Value, s.count, s.spawn.Value, ramp)
		return nil
	}
	return []Stage{
		{Name: "ramp", From: 0, To: users, For: ramp},
		{Name: "hold", From: users, To: users, For: s.length - ramp, Judged: true},
	}
}

// constant is the open model's short form.
func (s *shape) constant(r *reader) []Stage {
	if (s.rate == nil || s.runFor == nil) && !r.Odd(s.arrivals) {
		r.Fail(s.arrivals, "as in arrivals: {rate: 500/s, run_for: 10m}", "arrivals need rate and run_for, or stages")
	}
	if s.rate == nil || s.runFor == nil || s.broken {
		return nil
	}
	return []Stage{{Name: "hold", From: s.perSecond, To: s.perSecond, For: s.length, Judged: true}}
}

// stages reads the curve stage by stage. One begins where the last ended unless
// it says otherwise.
func (r *reader) stages(n *yaml.Node, model Model) []Stage {
	var out []Stage
	var level float64
	r.List(n, "stages", func(n *yaml.Node) {
		s := Stage{From: level}
		to, judged, number := level, false, r.count
		if model == Arrivals {
			number = r.Rate
		}
		found := r.Fields(n, "a stage", strict.Fields{
			"name":   func(n *yaml.Node) { s.Name = r.Word(n, "name") },
			"from":   func(n *yaml.Node) { s.From = r.level(n, number(n, "from")) },
			"to":     func(n *yaml.Node) { to = r.level(n, number(n, "to")) },
			"for":    func(n *yaml.Node) { s.For = r.positive(n, "for") },
			"judged": func(n *yaml.Node) { judged = r.Bool(n, "judged") },
		})
		if found["for"] == nil && n.Kind == yaml.MappingNode && !r.Odd(n) {
			r.Fail(n, "as in for: 2m", "a stage needs its length")
		}
		if s.For > MaxStage {
			r.Fail(found["for"], "", "a stage of %s: at most %s can be planned exactly", s.For, MaxStage)
		}
		if found["from"] != nil && found["to"] == nil {
			to = s.From
		}
		s.To, level = to, to
		s.Judged = s.From == s.To && s.To > 0
		if found["judged"] != nil {
			s.Judged = judged
		}
		if s.Name == "" {
			s.Name = map[bool]string{true: "hold", false: "ramp"}[s.From == s.To]
		}
		if i := slices.IndexFunc(out, func(o Stage) bool { return o.Name == s.Name }); i >= 0 && out[i].Judged != s.Judged {
			r.Fail(n, "write judged in both, or give them two names", "the stages of phase %q are not judged alike", s.Name)
		}
		out = append(out, s)
	})
	return out
}

// count reads a plain number of users.
func (r *reader) count(n *yaml.Node, what string) float64 { return float64(r.Int(n, what, 0)) }

// level refuses what the schedule cannot hold exactly.
func (r *reader) level(n *yaml.Node, v float64) float64 {
	if v > MaxRate {
		r.Fail(n, "", "found %q, expected at most %s", n.Value, strconv.FormatFloat(MaxRate, 'f', -1, 64))
		return 0
	}
	return v
}

// span reads "400ms..800ms", or one time for both ends.
func (r *reader) span(n *yaml.Node, what string) Range {
	from, to, ok := strings.Cut(n.Value, "..")
	if !ok {
		d := r.Duration(n, what)
		return Range{d, d}
	}
	a, errA := time.ParseDuration(strings.TrimSpace(from))
	b, errB := time.ParseDuration(strings.TrimSpace(to))
	switch {
	case errA != nil || errB != nil || a < 0:
		r.Fail(n, "", "%s: found %q, expected a range such as 400ms..800ms", what, n.Value)
	case b < a:
		r.Fail(n, fmt.Sprintf("write %s..%s", to, from), "%s: found %q, the end is before the beginning", what, n.Value)
	}
	return Range{a, b}
}
