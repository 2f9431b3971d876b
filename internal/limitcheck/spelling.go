package limitcheck

import (
	"slices"
	"strings"
)

// An API may take several spellings of a name for one account, or for as many. Each
// is counted by itself, so that nobody is accused of judging two accounts' guesses; and
// where there were several, a refusal of one may have been earned by the others.

// folded is a name as an API that is lenient about it would read it.
func folded(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// spelled takes note of how a user was named. What finds no room may be a spelling of
// anybody's name.
func (c *Checker) spelled(name string) {
	if name == "" {
		return
	}
	as := folded(name)
	names := c.names[as]
	switch {
	case slices.Contains(names, name):
	case len(names) >= mostSpellings, len(c.names) >= 2*c.o.Keys && names == nil:
		c.unspelled = true
	default:
		c.names[as] = append(names, name)
	}
}

// mostSpellings of one name are kept.
const mostSpellings = 64

// spellings are the names that may be the same account's.
func (c *Checker) spellings(name string) []string {
	if names := c.names[folded(name)]; slices.Contains(names, name) {
		return names
	}
	return []string{name}
}

// elsewhere tells whether what a count refuses may have been earned under another
// spelling of its user's name.
func (c *Checker) elsewhere(k key) bool {
	return k.user != "" && (c.unspelled || len(c.names[folded(k.user)]) > 1)
}
