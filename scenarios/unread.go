package scenarios

import (
	"slices"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
	"vitals/targets"
)

// unread is what a broken file may have that could not be read. What only it would
// fill, or name, is not called missing: that would be the same mistake told twice.
type unread struct {
	words map[string]bool
	any   bool // a file may fill any name
}

// gather fills it from this file and the part that it uses.
func (r *reader) gather() {
	r.lost.words = map[string]bool{}
	for d := r; d != nil; d = d.used {
		for _, n := range d.Unread() {
			r.lost.add(n)
		}
		for _, name := range d.misnamed {
			r.lost.words[squashed(name)] = true
		}
	}
}

func (u *unread) add(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		u.words[squashed(n.Value)] = true
		u.any = u.any || strings.HasSuffix(n.Value, ".csv") || strings.HasSuffix(n.Value, ".json")
	}
	for _, c := range n.Content {
		u.add(c)
	}
}

// has tells whether the name may stand in what could not be read.
func (u *unread) has(name string) bool { return u.words[squashed(name)] }

// squashed is a name without what people write differently: orderId, Order-ID and
// order_id are one.
func squashed(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// fills tells whether a name is among those known, or may be where nothing could be
// read. Where any name may be filled, only one that is nearly known is wrong.
func (r *reader) fills(name string, known []string, any bool) bool {
	if slices.Contains(known, name) || r.lost.has(name) {
		return true
	}
	_, near := strict.Nearest(name, known)
	return any && !near
}

// lacks tells whether neither the file nor the part that it uses has a field, and
// none that may be meant for it.
func (r *reader) lacks(field string) bool {
	return r.at != nil && r.full.node.Kind == yaml.MappingNode && r.at[field] == nil && !r.Odd(r.full.node) && (r.at["use"] == nil || r.used != nil && r.used.lacks(field))
}

// known are targets without the steps and phases that may stand in what could not be
// read: nothing can be said of those.
func (r *reader) known(ts []targets.Target) []targets.Target {
	ts = slices.Clone(ts)
	signIn := &r.sc.Accounts.SignIn
	for i := range ts {
		t := &ts[i]
		if r.lost.has(t.Step) || signIn.Path == "" && t.Step == signIn.Name {
			t.Step = ""
		}
		if r.lost.has(t.During) || len(r.full.phases) == 0 || r.fast.node != nil && len(r.fast.phases) == 0 {
			t.During = ""
		}
	}
	return ts
}
