package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// kind is what an intruder of it may say of itself.
type kind struct {
	fields []string // beside those of all
	usual  Intruder // what they are when they are left out
}

var kinds = map[string]kind{
	PasswordGuessing: {[]string{"guesses", "at_once", "every", "wrong", "locked"}, Intruder{Guesses: 8}},
	PasswordSpraying: {[]string{"rate", "guesses", "accounts", "unknown_accounts", "wrong", "locked"}, Intruder{Accounts: 1}},
	HeaderSpoofing:   {[]string{"guesses", "every", "wrong", "locked"}, Intruder{Guesses: 8}},
	CodeGuessing:     {[]string{"guesses", "every", "wrong", "locked"}, Intruder{Guesses: 12}},
	TokenReplay:      {[]string{"rounds", "every", "wrong", "locked"}, Intruder{Rounds: 1}},
	Slowloris:        {[]string{"connections", "every"}, Intruder{Connections: 50, Every: time.Second}},
	OversizedBody:    {[]string{"bodies", "every"}, Intruder{Bodies: 4}},
}

// formerKinds are the words that older files have for the kinds.
var formerKinds = map[string]string{
	"guess passwords": PasswordGuessing, "spray passwords": PasswordSpraying, "spoof headers": HeaderSpoofing, "guess codes": CodeGuessing,
	"reuse tokens": TokenReplay, "dribble headers": Slowloris, "oversize bodies": OversizedBody,
}

// everyKind are the fields of all kinds.
var everyKind = []string{"name", "kind", "addresses", "after", "for", "during"}

func (r *reader) intruders(n *yaml.Node) (ins []Intruder) {
	r.List(n, "intruders", func(n *yaml.Node) {
		in := Intruder{Kind: PasswordGuessing, Addresses: 1, File: r.File, Line: n.Line, Col: n.Column}
		r.Rename(n, map[string]string{"strangers": "unknown_accounts"})
		found := r.Fields(n, "an intruder", strict.Fields{
			"name": func(n *yaml.Node) { in.Name = r.Word(n, "name") },
			"kind": func(n *yaml.Node) {
				in.Kind = r.Word(n, "kind")
				if now, former := formerKinds[in.Kind]; former {
					r.Warn(n, "kind: %q is now called %q", in.Kind, now)
					in.Kind = now
				}
				if _, ok := kinds[in.Kind]; !ok && in.Kind != "" {
					r.Fail(n, strict.Hint(in.Kind, slices.Collect(maps.Keys(kinds))), "unknown kind of intruder %q", in.Kind)
				}
			},
			"addresses":        func(n *yaml.Node) { in.Addresses = r.Int(n, "addresses", 1) },
			"guesses":          func(n *yaml.Node) { in.Guesses = r.Int(n, "guesses", 1) },
			"at_once":          func(n *yaml.Node) { in.AtOnce = r.Bool(n, "at_once") },
			"after":            func(n *yaml.Node) { in.After = r.Duration(n, "after") },
			"every":            func(n *yaml.Node) { in.Every = r.Duration(n, "every") },
			"for":              func(n *yaml.Node) { in.For = r.positive(n, "for") },
			"during":           func(n *yaml.Node) { in.During = r.Word(n, "during"); r.during = append(r.during, n) },
			"rate":             func(n *yaml.Node) { in.Rate = r.level(n, r.some(n, "rate")) },
			"accounts":         func(n *yaml.Node) { in.Accounts = r.Int(n, "accounts", 1) },
			"unknown_accounts": func(n *yaml.Node) { in.UnknownAccounts = r.Int(n, "unknown_accounts", 0) },
			"rounds":           func(n *yaml.Node) { in.Rounds = r.Int(n, "rounds", 1) },
			"connections":      func(n *yaml.Node) { in.Connections = r.Int(n, "connections", 1) },
			"wrong":            func(n *yaml.Node) { in.Wrong = r.statuses(n) },
			"locked":           func(n *yaml.Node) { in.Locked = r.statuses(n) },
			"bodies":           func(n *yaml.Node) { in.Bodies = r.Int(n, "bodies", 1) },
		})
		if n.Kind == yaml.MappingNode {
			r.intruder(n, found, &in)
		}
		ins = append(ins, in)
	})
	return ins
}

// intruder checks one as a whole, and fills in what was left out.
func (r *reader) intruder(n *yaml.Node, found map[string]*yaml.Node, in *Intruder) {
	if found["name"] == nil {
		r.Fail(n, "as in name: burst", "an intruder needs a name")
	}
	k, ok := kinds[in.Kind]
	if !ok {
		return
	}
	known := slices.Concat(everyKind, k.fields)
	for name, key := range found {
		if !slices.Contains(known, name) && key.Value == name {
			r.Fail(key, strict.Hint(name, known), "an intruder of kind %q has no %s", in.Kind, name)
		}
	}
	if in.AtOnce && found["every"] != nil {
		r.Fail(found["every"], "leave one of them out", "found every beside at_once: guesses at once have no time between them")
	}
	if in.Kind == PasswordSpraying && found["rate"] == nil {
		r.Fail(n, "as in rate: 2000/s", "an intruder that sprays passwords needs its rate")
	}
	in.Guesses = cmp.Or(in.Guesses, k.usual.Guesses)
	in.Accounts = cmp.Or(in.Accounts, k.usual.Accounts)
	in.Rounds = cmp.Or(in.Rounds, k.usual.Rounds)
	in.Connections = cmp.Or(in.Connections, k.usual.Connections)
	in.Bodies = cmp.Or(in.Bodies, k.usual.Bodies)
	if found["every"] == nil {
		in.Every = k.usual.Every
	}
}

// Hours are the times of a load in which the intruder begins anything: those of
// the phases that it works in, or the whole from its beginning, cut at For.
func (in Intruder) Hours(l Load) (hours []Span) {
	add := func(h Span) {
		h.From += in.After
		if in.For > 0 {
			h.To = min(h.To, h.From+in.For)
		}
		if h.From < h.To {
			hours = append(hours, h)
		}
	}
	if in.During == "" {
		add(Span{0, l.Total()})
		return hours
	}
	for _, p := range l.Phases() {
		if p.Name == in.During {
			add(Span{p.From, p.To})
		}
	}
	return hours
}

// work is how long the intruder's tries take when they are answered at once.
func (in Intruder) work() time.Duration {
	if in.AtOnce || in.Kind == Slowloris { // these wait for the server's bound, and outlive the load
		return 0
	}
	return time.Duration(max(in.Guesses, in.Rounds, in.Bodies)) * in.Every
}

// intrusions finds intruders that a run would end before, and phases that it
// does not have.
func (r *reader) intrusions() {
	quick := &r.full
	if r.fast.node != nil {
		quick = &r.fast
	}
	paces := []struct {
		name string
		Load
		phases []string
	}{{"full", r.sc.Load, r.full.phases}, {"quick", r.sc.Quick, quick.phases}}
	for _, in := range r.sc.Intruder {
		for _, l := range paces {
			if len(l.Stages) == 0 || in.During != "" && !slices.Contains(l.names(), in.During) {
				continue // could not be read; or told below, with its place
			}
			var open time.Duration
			hours := in.Hours(l.Load)
			for _, h := range hours {
				open += h.To - h.From
			}
			at := Error{File: in.File, Line: in.Line, Col: in.Col}
			switch work, total := in.work(), l.Total(); {
			case in.During == "" && in.After+work >= total:
				at.Msg = fmt.Sprintf("intruder %q is at work until %s, the %s pace ends at %s", in.Name, in.After+work, l.name, total)
			case len(hours) == 0:
				at.Msg = fmt.Sprintf("intruder %q begins %s into phase %q, which the %s pace ends before", in.Name, in.After, in.During, l.name)
			case work >= open:
				at.Msg = fmt.Sprintf("intruder %q needs %s for its work, the %s pace leaves it %s", in.Name, work, l.name, open)
			default:
				continue
			}
			r.Add(&at)
		}
	}
	for _, asked := range r.phases() {
		for _, l := range paces {
			if names := l.phases; len(names) > 0 && asked.Msg != "" && !slices.Contains(names, asked.Msg) && !r.lost.has(asked.Msg) {
				e := asked
				e.Msg, e.Hint = fmt.Sprintf("during: the %s pace has no phase %q", l.name, asked.Msg), strict.Hint(asked.Msg, names)
				r.Add(&e)
				break
			}
		}
	}
}

// apart finds intruders whose wrong passwords are answered as the scenario expects its own
// users' right ones to be.
func (r *reader) apart() {
	for _, in := range r.sc.Intruder {
		if in.Kind == CodeGuessing || in.Kind == TokenReplay { // what is wrong there is no password
			continue
		}
		for _, status := range in.Wrong {
			if slices.Contains(r.sc.Accounts.SignIn.Expect.Status, status) {
				r.Add(&Error{
					File: in.File, Line: in.Line, Col: in.Col, Hint: "one of them needs another status",
					Msg: fmt.Sprintf("intruder %q: wrong: found %d, which sign_in expects of a right password (expect.status), so that a wrong one could not be told from it", in.Name, status),
				})
			}
		}
	}
}

// phases are those that intruders ask for, here and in the part that is used,
// each with its place.
func (r *reader) phases() (asked []Error) {
	if r.used != nil {
		asked = r.used.phases()
	}
	for _, n := range r.during {
		asked = append(asked, Error{File: r.File, Line: n.Line, Col: n.Column, Msg: n.Value})
	}
	return asked
}
