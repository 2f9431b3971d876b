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
	grows        bool   // it speaks of a wait that grows with each failure
	counts       string // failures or requests
	likely       string // what it counts most likely, when it does not say
	success      string // clears or keeps
	by           string // address, account, both or pair
	trouble      string // why its numbers are not taken, although it has some
}

const (
	number   = `(\d{1,5}(?:\.\d+)?|an?|one)`
	units    = `(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\b`
	lockWord = `(?:lock|block|bann?|suspen[ds]|refus|reject|den[yi]|disabl|throttl|barr?ed|penalt|cool-?down)[a-z]*`
	length   = number + `?[\s-]*` + units
	during   = `(?:per|/|every|each|in|within|during|over)\s*(?:any |the same |a period of |the last )?` + length
	counted  = `(?:attempts?|tries|guesses|failures?|requests?|reqs?|calls?|sign-? ?ins?|log-? ?ins?|passwords?|times|hits)`
)

var (
	everyText   = regexp.MustCompile(`(?i)\b(\d{1,6})\s*(?:[a-z-]+\s+){0,4}?` + during)
	countedText = regexp.MustCompile(`(?i)\b(\d{1,6})\s+(?:[a-z-]+\s+){0,3}?` + counted + `\b`)
	farText     = regexp.MustCompile(`(?i)^[^.;\d]{0,120}?\b` + during)
	lockText    = regexp.MustCompile(`(?i)\b` + lockWord + `((?:[\s,:(=-]+[a-z-]+){0,7}?)[\s:(=-]+` + number + `[\s-]*` + units)
	lockedFor   = regexp.MustCompile(`(?i)(\S*)\s*\b` + number + `(?:-|\s*)` + units + `[\s-]+(?:of\s+)?(?:an?\s+)?(?:[a-z]+\s+)?(?:lock|block|ban|suspension|penalty|cool-?down)(?:-?outs?|s|ing)?\b`)
	waitText    = regexp.MustCompile(`(?i)\b(?:wait|try again|retry)((?:[\s,:-]+[a-z-]+){0,4}?)[\s:-]+` + number + `[\s-]*` + units)
	locksText   = regexp.MustCompile(`(?i)\b(?:(?:lock|block|bann|suspen[ds])[a-z]*|bans?|penalt(?:y|ies)|cool-?downs?)\b`)
	heldText    = regexp.MustCompile(`(?i)\b(?:(?:lock|bann|suspen[ds])[a-z]*|bans?)\b`) // more than that the next one is refused
	growsText   = regexp.MustCompile(`(?i)\b(?:exponential\w*|back-?off|doubl(?:es?|ed|ing)|twice as long|progressive(?:ly)?|increasing(?:ly)?|escalat\w+)\b`)
	burstText   = regexp.MustCompile(`(?i)\bbursts?\b`)
	atMost      = regexp.MustCompile(`(?i)\b(?:up to|at most|max\w*)`)
	windowWord  = regexp.MustCompile(`(?i)\b(?:per|every|each|in|within|during|over|until|after)\b`)
	countText   = regexp.MustCompile(`(?i)\b(fail(?:ed|ures?|ing)?|wrong|unsuccessful|invalid|incorrect|mistyped|bad (?:log-?ins?|sign-?ins?|attempts?|passwords?|credentials?))\b|\b(requests?|reqs?|calls?)\b`)
	anyOutcome  = regexp.MustCompile(`(?i)\b(?:success\w*|right|correct|valid|good) (?:(?:ones?|sign-?ins?|log-?ins?|attempts|requests) )?(?:are |is )?(?:also )?(?:included|counted?|as well|too)\b` +
		`|\b(?:success\w*|right|correct|valid|failed|wrong|invalid|incorrect|unsuccessful|bad) (?:or|and|as well as) (?:not|success\w*|right|correct|valid|good|failed|failures?|unsuccess\w*|wrong|invalid|incorrect)\b` +
		`|\binclud(?:ing|es) (?:the )?(?:success\w*|right|correct|valid)\b|\bregardless of (?:the |its |their )?(?:outcome|result|success)`)
	onlyFailed = regexp.MustCompile(`(?i)\b(?:success\w*|right|correct|valid) (?:(?:ones?|sign-?ins?|log-?ins?|attempts|requests) )?(?:are not|aren't|do not|don't|never) count` +
		`|\b(?:excluding|except|not counting|skip\w*) (?:the )?(?:success\w*|right|correct|valid)\b`)
	signInsText = regexp.MustCompile(`(?i)(?:sign|log)-? ?ins$`) // and not attempts at it
	aboutLogin  = regexp.MustCompile(`(?i)\b(?:sign(?:ing)?-? ?ins?|log(?:ging)?-? ?ins?|passwords?|authenticat\w+)\b`)
	atLeast     = regexp.MustCompile(`(?i)\(failed ones at least\)`) // whether right ones count as well is open
	fixedText   = regexp.MustCompile(`(?i)\bfixed window`)
	righted     = regexp.MustCompile(`(?i)\b(?:success\w*|right|correct|valid)\b`)
	cleared     = regexp.MustCompile(`(?i)\b(?:resets?|resett\w*|clear\w*|forg[eio]\w*|zero|wipe\w*|start\w* (?:over|again|afresh))\b`)
	negated     = regexp.MustCompile(`(?i)\b(?:not|never|keeps?|no)\b`)
	policyFmt   = regexp.MustCompile(`(\d+)\s*;\s*w=(\d+)|q=(\d+)\s*;\s*w=(\d+)`)
)

// readLimit reads the sentences that people, and vitals audit --discover, write of a limit.
func readLimit(text string) (l toldLimit) {
	text, l.trouble = oneLimit(plainWords(text))
	if l.trouble != "" {
		return l
	}
	l.counts = countsOf(text)
	l.by, l.success = byOf(text), successOf(text)
	l.locks, l.grows = locksText.MatchString(text), growsText.MatchString(text)
	l.fixed = fixedText.MatchString(text)
	phrase := countedText.FindString(text)
	if l.counts == "" && !atLeast.MatchString(text) {
		l.counts = countsOf(phrase) // further requests are refused, but failures are counted
	}
	if l.likely = "requests"; atLeast.MatchString(text) || (heldText.MatchString(text) || locksOwner.MatchString(text) || isLocked.MatchString(text)) && !signInsText.MatchString(phrase) {
		l.likely = "failures" // nobody locks out for signing in
	}
	for _, c := range countsIn(text) {
		if c.window > 0 || l.limit == 0 {
			l.limit, l.window = c.n, c.window
		}
		if l.window > 0 {
			break
		}
	}
	l.lock = lockOf(text, l.window)
	if l.window+l.lock == 0 {
		l.limit = 0 // a number, and no time: a lock needs no window, but nothing else
	}
	l.locks = l.locks || l.lock == 0 && waitText.MatchString(text)
	return l
}

// lockOf is for how long a text says that it is refused then; 0 = it does not say. A wait
// that is no longer than the window may be that of the window, and one "up to" a time is
// shorter at first: they are nobody's lock.
func lockOf(text string, window time.Duration) time.Duration {
	for _, m := range lockText.FindAllStringSubmatch(text, -1) {
		if !windowWord.MatchString(m[1]) && !atMost.MatchString(m[1]) {
			return unit(m[2], m[3])
		}
	}
	for _, m := range lockedFor.FindAllStringSubmatch(text, -1) {
		if !windowWord.MatchString(m[1]) {
			return unit(m[2], m[3])
		}
	}
	for _, m := range waitText.FindAllStringSubmatch(text, -1) {
		if d := unit(m[2], m[3]); d > window && !atMost.MatchString(m[1]) {
			return d
		}
	}
	return 0
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
	switch {
	case atLeast.MatchString(text):
		return ""
	case onlyFailed.MatchString(text):
		return "failures"
	case anyOutcome.MatchString(text):
		return "requests"
	}
	said := map[string]bool{}
	for _, m := range countText.FindAllStringSubmatch(text, -1) {
		said[map[bool]string{true: "failures", false: "requests"}[m[1] != ""]] = true
	}
	return only(said)
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
