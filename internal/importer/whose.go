package importer

import (
	"regexp"
	"strings"
)

const (
	intro = `(?:per|by|each|every|(?:from|for) (?:one|an?|each|every|the same|a single|any one)) (?:(?:combination|pair) of )?(?:(?:same|client|source|remote|single) )*?`
	owner = `(e-?mail(?: address)?|user ?name|user|account|(?:ip|client|source)?[ -]?address|(?:client |source )?ip|client)`
	held  = `(ips?|(?:ip |client |source )?address(?:es)?|users?|accounts?)`
)

var (
	ownerText = regexp.MustCompile(`(?i)\b` + intro + owner + `\b(?:( ?[,/+&-]? ?(?:and |or |plus )?(?:also )?)(` + intro + `)?(?:the )?` + owner + `\b)?`)
	isLocked  = regexp.MustCompile(`(?i)\b` + held + ` (?:(?:address(?:es)? )?(?:is|are|gets?|becomes?|was|were|(?:will|shall|may) be) (?:(?:then|temporarily|automatically|also) )*` +
		`(?:locked|blocked|banned|suspended|disabled|barred)|(?:lock|ban|block)(?:-?outs?|s)?\b)`)
	locksOwner = regexp.MustCompile(`(?i)\b(?:lock|block|ban|bann|suspend|disabl|bar|barr)(?:s|e|es|ed|ing)?(?: out)? (?:(?:the|your|that|this|an?|his|her|their|its|whole|same|client|source|offending|affected) )*` + held + `\b`)
	unlocked   = regexp.MustCompile(`(?i)(?:\b(?:not|never|no|without)|n't)(?:\s+[a-z]+)?\s+$`)
)

// byOf is by whom a text says that the limit counts; "" = nobody can tell. An address and
// an account in one phrase are a pair, unless each has its own "per", or an "or" is between.
func byOf(text string) string {
	kind := func(owner string) string {
		owner = strings.ToLower(owner)
		if !strings.Contains(owner, "mail") && (strings.Contains(owner, "address") || strings.Contains(owner, "ip") || strings.Contains(owner, "client")) {
			return "address"
		}
		return "account"
	}
	alone, together := map[string]bool{}, map[string]bool{}
	for _, m := range ownerText.FindAllStringSubmatch(text, -1) {
		first, connector, again, second := kind(m[1]), strings.ToLower(m[2]), strings.ToLower(m[3]), m[4]
		switch {
		case second == "" || kind(second) == first:
			alone[first] = true
		case strings.Contains(connector, "or "), strings.TrimSpace(connector) != "" && again != "" && !strings.HasPrefix(again, "f"):
			together["both"] = true
		default:
			together["pair"] = true
		}
	}
	if len(together) > 0 {
		return only(together)
	}
	for _, what := range []*regexp.Regexp{isLocked, locksOwner} {
		for _, m := range what.FindAllStringSubmatchIndex(text, -1) {
			if !unlocked.MatchString(text[:m[0]]) {
				alone[kind(text[m[2]:m[3]])] = true
			}
		}
	}
	return only(alone)
}
