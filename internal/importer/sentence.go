package importer

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// toldLimit is what a text says of a limit; what it does not say is the zero value.
type toldLimit struct {
	limit        int
	window, lock time.Duration
	fixed        bool   // its windows follow one another
	locks        bool   // it speaks of a lock, whether or not it says for how long
	counts       string // failures or requests
	success      string // clears or keeps
	by           string // address, account, both or pair
}

const (
	lockWord = `(?:lock|block|bann?|suspend|refus|reject|den[yi]|disabl|throttl|barr?ed)[a-z]*`
	length   = `(\d{1,5}(?:\.\d+)?|an?|one)?[\s-]*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\b`
	during   = `(?:per|/|every|each|in|within|during|over)\s*(?:any |the same |a period of |the last )?` + length
	counted  = `(?:attempts?|tries|guesses|failures?|requests?|calls?|sign-? ?ins?|log-? ?ins?|passwords?|times|hits)`
)

var (
	everyText   = regexp.MustCompile(`(?i)\b(\d{1,6})\s*(?:[a-z-]+\s+){0,4}?` + during)
	countedText = regexp.MustCompile(`(?i)\b(\d{1,6})\s+(?:[a-z-]+\s+){0,3}?` + counted + `\b`)
	farText     = regexp.MustCompile(`(?i)^[^.;\d]{0,120}?\b` + during)
	goText      = regexp.MustCompile(`(?i)\b(\d+(?:\.\d+)?(?:h|m|s|ms)){2,}\b`) // 1m30.5s
	lockText    = regexp.MustCompile(`(?i)\b` + lockWord + `((?:[\s,-]+[a-z-]+){0,7}?)[\s-]+(\d{1,5}(?:\.\d+)?|an?|one)[\s-]*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\b`)
	locksText   = regexp.MustCompile(`(?i)\b(?:lock|block|bann|suspend)[a-z]*\b`)
	windowWord  = regexp.MustCompile(`(?i)\b(?:per|every|each|in|within|during|over|until|after)\b`)
	tooMany     = regexp.MustCompile(`(?i)(?:\b429\W+)?too many requests`)                                          // the name of the status
	statusText  = regexp.MustCompile(`(?i)\b(?:with|status|code|http|error|answers?)\s+(?:an?\s+)?(?:4\d\d|503)\b`) // no count
	countText   = regexp.MustCompile(`(?i)\b(fail(?:ed|ures?)|wrong|unsuccessful|invalid|incorrect)\b|\b(requests?|calls?|right ones as well)\b`)
	atLeast     = regexp.MustCompile(`(?i)\(failed ones at least\)`) // whether right ones count as well is open
	fixedText   = regexp.MustCompile(`(?i)\bfixed window`)
	ownerText   = regexp.MustCompile(`(?i)\b` + intro + owner + `\b(?:( ?[,/+&-]? ?(?:and |or |plus )?(?:also )?)(` + intro + `)?(?:the )?` + owner + `\b)?`)
	isLocked    = regexp.MustCompile(`(?i)\b(ip|address|user|account) (?:address )?is (?:locked|blocked|banned|suspended)`)
	righted     = regexp.MustCompile(`(?i)\b(?:success\w*|right|correct|valid)\b`)
	cleared     = regexp.MustCompile(`(?i)\b(?:resets?|resett\w*|clear\w*|forg[eio]\w*|zero|wipe\w*|start\w* (?:over|again|afresh))\b`)
	negated     = regexp.MustCompile(`(?i)\b(?:not|never|keeps?|no)\b`)
	policyFmt   = regexp.MustCompile(`(\d+)\s*;\s*w=(\d+)|q=(\d+)\s*;\s*w=(\d+)`)
)

const (
	intro = `(?:per|by|each|every|(?:from|for) (?:one|an?|each|every|the same|a single|any one)) (?:(?:combination|pair) of )?(?:(?:same|client|source|remote|single) )*?`
	owner = `(e-?mail(?: address)?|user ?name|user|account|(?:ip|client|source)?[ -]?address|(?:client |source )?ip|client)`
)

// readLimit reads the sentences that people, and vitals audit --discover, write of a limit.
func readLimit(text string) (l toldLimit) {
	text = strings.Join(strings.Fields(strings.NewReplacer("*", "", "`", "", "_", " ").Replace(text)), " ")
	l.counts = countsOf(text)
	l.by, l.success = byOf(text), successOf(text)
	l.locks = locksText.MatchString(text)
	l.fixed = fixedText.MatchString(text)
	text = goText.ReplaceAllStringFunc(statusText.ReplaceAllString(tooMany.ReplaceAllString(text, ""), ""), func(s string) string {
		d, err := time.ParseDuration(s)
		if err != nil {
			return s // no time after all
		}
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
	})
	if phrase := countedText.FindString(text); l.counts == "" && !atLeast.MatchString(text) {
		l.counts = countsOf(phrase) // further requests are refused, but failures are counted
	}
	for _, m := range lockText.FindAllStringSubmatch(text, -1) {
		if !windowWord.MatchString(m[1]) {
			l.lock = unit(m[2], m[3])
			break
		}
	}
	if m := everyText.FindStringSubmatch(text); m != nil {
		l.limit, _ = strconv.Atoi(m[1]) // digits, by the pattern
		l.window = unit(m[2], m[3])
		return l
	}
	for _, at := range countedText.FindAllStringSubmatchIndex(text, -1) {
		n, _ := strconv.Atoi(text[at[2]:at[3]]) // digits, by the pattern
		if m := farText.FindStringSubmatch(text[at[1]:]); m != nil {
			l.limit, l.window = n, unit(m[1], m[2])
			return l
		}
		if l.limit == 0 && l.lock > 0 {
			l.limit = n // a lock needs no window
		}
	}
	return l
}

// said tells whether a limit can be written: its count, and a time.
func (l toldLimit) said() bool { return l.limit > 0 && l.window+l.lock > 0 }

func unit(n, word string) time.Duration {
	count, err := strconv.ParseFloat(n, 64)
	if err != nil {
		count = 1 // nothing, or an article
	}
	word = strings.ToLower(word)
	per := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[word[0]]
	if word == "ms" || strings.HasPrefix(word, "milli") {
		per = time.Millisecond
	}
	return time.Duration(count * float64(per))
}

// countsOf is what a text says that the limit counts; "" = nobody can tell.
func countsOf(text string) string {
	if atLeast.MatchString(text) {
		return ""
	}
	said := map[string]bool{}
	for _, m := range countText.FindAllStringSubmatch(tooMany.ReplaceAllString(text, ""), -1) {
		said[map[bool]string{true: "failures", false: "requests"}[m[1] != ""]] = true
	}
	return only(said)
}

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
	for _, m := range isLocked.FindAllStringSubmatch(text, -1) {
		alone[kind(m[1])] = true
	}
	return only(alone)
}

// successOf is what a text says that a right credential does to a count of failures.
func successOf(text string) string {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".;!", r) }) {
		if !righted.MatchString(part) || !cleared.MatchString(part) {
			continue
		}
		if negated.MatchString(part) {
			return "keeps"
		}
		return "clears"
	}
	return ""
}

// only is the one word of a set; "" for none, and for more.
func only(said map[string]bool) string {
	if len(said) != 1 {
		return ""
	}
	return keys(said)[0]
}
