package importer

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// roleName is what people call those who run an API's business.
const roleName = `(?:admins?|administrators?|super[- ]?(?:users?|admins?)|staff|moderators?|operators?|managers?|wardens?|employees|auditors?)`

var (
	roleSegment = regexp.MustCompile(`(?i)^[_-]?(admins?([-_]?(api|panel|area))?|administration|administrators?|internal|management|staff|back[-_]?office|super[-_]?users?|moderation)$`)
	// roleText is how people write that others than ordinary accounts are meant.
	roleText = regexp.MustCompile(`(?i)\b` + roleName + `[ -]only\b|\bonly (?:for |by |an? |the )*` + roleName + `\b|\b` + roleName + ` (?:role|rights?|privileges?|permissions?|scope|access|token)\b|\b(?:requires?|needs?|must be|restricted to|reserved for) (?:an? |the |to be |being )*` + roleName + `\b`)
	// onlyText is how a refusal says for whom alone something is; of which people, it leaves open.
	onlyText = regexp.MustCompile(`(?i)\b(?:for )?([a-z]+) only\b|\bonly (?:for )?([a-z]+) (?:may|can|are allowed)\b`)
	// ordinary are people of whom any account may be one, as of the objects that it made.
	ordinary  = regexp.MustCompile(`(?i)^(owners|authors|creators|members|participants|users|customers|accounts|clients|ones|https|requests|reads|is|was|has|this)$`)
	roleWords = []string{"admin", "admins", "administrator", "administrators", "superuser", "staff", "moderator", "moderators", "internal"}
)

// reserved tells whether an operation is for others than ordinary accounts: its path
// says so, the name of a tag or a scope, its texts, or the refusal that is documented.
func (c *call) reserved(description string, names []string) bool {
	ofRole := func(name string) bool {
		return slices.ContainsFunc(lower(name), func(word string) bool { return slices.Contains(roleWords, word) })
	}
	if slices.ContainsFunc(segments(c.path), roleSegment.MatchString) || slices.ContainsFunc(names, ofRole) {
		return true
	}
	refusal := c.told[http.StatusForbidden]
	for _, text := range []string{c.title, description, refusal} {
		if roleText.MatchString(strings.Join(strings.Fields(text), " ")) {
			return true
		}
	}
	for _, m := range onlyText.FindAllStringSubmatch(refusal, -1) {
		if who := m[1] + m[2]; strings.HasSuffix(who, "s") && !ordinary.MatchString(who) {
			return true
		}
	}
	return false
}

// shared takes the mark of reserved operations off when there are no others: such an
// API's ordinary accounts are the ones that it is reserved for.
func shared(calls []*call) {
	for _, c := range calls {
		switch c.guess() {
		case isList, isGet, isRead, isCreate, isUpdate, isMe:
			if !c.others && c.signsIn() == 0 {
				return
			}
		}
	}
	for _, c := range calls {
		c.others = false
	}
}
