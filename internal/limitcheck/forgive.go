package limitcheck

import (
	"slices"
	"strings"
)

// forgive takes a success as what it may have done: every failure of its user
// from its address is forgotten, in the address's count and in the account's. Those
// from elsewhere, and under another spelling of the name, it may have forgotten or
// not. Under another policy it may have forgotten none: a right password whose second
// factor is due takes no wrong code back.
func (c *Checker) forgive(e *Event) {
	for policy, rule := range c.rules {
		if !rule.Failures || rule.Kept {
			continue
		}
		for _, k := range c.countsOf(policy, e) {
			if t, ok := c.keys[k]; ok {
				t.forgive(e, policy == e.Policy)
			}
		}
	}
}

// countsOf are the keys under which a success's failures may have been counted.
func (c *Checker) countsOf(policy string, e *Event) []key {
	addr := e.From.Unmap()
	keys := []key{{policy: policy, addr: addr}}
	if e.User == "" {
		return keys
	}
	for _, name := range c.spellings(e.User) {
		keys = append(keys, key{policy: policy, user: name}, key{policy, addr, name})
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(keys) // without an address the pair is the user
}

// forgive is own where the success is one of the track's own policy. A count without a
// window lasts until a success, and nobody said whose.
func (t *track) forgive(e *Event, own bool) {
	t.windows = windows{}
	sent, done := t.at(e.Sent), t.at(e.Done)
	if own && t.rule.Clears && !e.Unsure {
		t.counted = slices.DeleteFunc(t.counted, func(x entry) bool {
			return sameUser(x.Event, e) && x.From.Unmap() == e.From.Unmap() && x.done <= sent
		})
	}
	for i, x := range t.counted { // before it or after, forgotten or not: nobody knows
		if (sameUser(x.Event, e) || folded(x.User) == folded(e.User) || own && t.rule.Window == Forever) && x.sent < done {
			t.counted[i].certain = false
		}
	}
	if t.passes = append(t.passes, *e); len(t.passes) > t.rule.Limit+3 {
		t.passes = slices.Delete(t.passes, 0, 1)
	}
}

// sameUser is true also when one of them is unknown.
func sameUser(a, b *Event) bool { return a.User == b.User || a.User == "" || b.User == "" }
