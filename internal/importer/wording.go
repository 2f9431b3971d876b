package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	goText     = regexp.MustCompile(`(?i)\b(\d+(?:\.\d+)?(?:h|m|s|ms)){2,}\b`)                                     // 1m30.5s
	tooMany    = regexp.MustCompile(`(?i)(?:\b429\W+)?too many requests`)                                          // the name of the status
	statusText = regexp.MustCompile(`(?i)\b(?:with|status|code|http|error|answers?)\s+(?:an?\s+)?(?:4\d\d|503)\b`) // no count
	halfHour   = regexp.MustCompile(`(?i)\bhalf[ -](?:an? )?(hour|minute|day)\b`)
	quarter    = regexp.MustCompile(`(?i)\b(?:a )?quarter[ -](?:of an? )?hour\b`)
	thousands  = regexp.MustCompile(`(?i)\b(\d{1,3}),(\d{3})(\s+(?:[a-z-]+\s+){0,3}?` + counted + `\b)`)
	numeral    = regexp.MustCompile(`(?i)\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)((?:\s+[a-z-]+){0,3}?\s+` + counted + `\b|[\s-]+` + units + `)`)
	oneText    = regexp.MustCompile(`(?i)\bone(\s+(?:(?:failed|wrong|sign-?in|log-?in) )?(?:requests?|attempts?|failures?)\b)`)
	ordinal    = regexp.MustCompile(`(?i)(\b(?:after|on|at|upon|with)\s+(?:the |every |each )?)?\b(\d{1,6})(?:st|nd|rd|th)\b`)
	arrow      = regexp.MustCompile(`\s*(?:->|=>|\x{2192}|\x{21d2})\s*`)
	slashTime  = regexp.MustCompile(`(?i)(\w)\s?/\s?` + length)
	timeOwner  = regexp.MustCompile(`(?i)\b(` + during + `)\s*(?:,|/|and|&)\s*(?:per )?` + owner + `\b`)
	ownerTime  = regexp.MustCompile(`(?i)\b((?:per|by|each|every) ` + owner + `)\s*(?:,|/|and|&)\s*` + units)
	numerals   = []string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
)

// plainWords is a text in the words that readLimit knows: without the names of statuses,
// and with its numbers as digits and its times as so many of one unit.
func plainWords(text string) string {
	text = strings.Join(strings.Fields(strings.NewReplacer("*", "", "`", "", "_", " ").Replace(text)), " ")
	text = statusText.ReplaceAllString(tooMany.ReplaceAllString(text, ""), "")
	text = goText.ReplaceAllStringFunc(text, func(s string) string {
		d, err := time.ParseDuration(s)
		if err != nil {
			return s // no time after all
		}
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
	})
	text = quarter.ReplaceAllString(halfHour.ReplaceAllString(text, "0.5 $1"), "15 minutes")
	text = arrow.ReplaceAllString(text, ", then ")
	text = thousands.ReplaceAllString(text, "$1$2$3")
	for range 2 { // a count and its time share a match
		text = reworded(numeral, text, func(m []string) string {
			return strconv.Itoa(slices.Index(numerals, strings.ToLower(m[1]))) + m[2]
		})
	}
	text = oneText.ReplaceAllString(text, "1$1")
	text = reworded(ordinal, text, func(m []string) string {
		if m[1] == "" {
			return "nth" // the one that is refused, or the last that is not
		}
		return m[1] + m[2]
	})
	text = reworded(slashTime, text, func(m []string) string { return m[1] + " per " + strings.TrimSpace(m[2]+" "+m[3]) })
	text = reworded(timeOwner, text, func(m []string) string { return m[1] + " per " + m[len(m)-1] })
	return reworded(ownerTime, text, func(m []string) string { return m[1] + " per " + m[len(m)-1] })
}

// reworded is a text with each match replaced by what change makes of its groups.
func reworded(what *regexp.Regexp, text string, change func(groups []string) string) string {
	return what.ReplaceAllStringFunc(text, func(s string) string { return change(what.FindStringSubmatch(s)) })
}

// count is a number of a text that something is limited to.
type count struct {
	at, n  int
	window time.Duration // 0 = none is told beside it
}

var (
	afterText = regexp.MustCompile(`(?i)\bafter\s+(\d{1,6})\b`)
	eachText  = regexp.MustCompile(`(?i)\b(\d{1,6})\s+(?:[a-z-]+\s+){0,3}?` + intro + owner + `\b`)
	timeText  = regexp.MustCompile(`(?i)^[\s-]*` + units)
)

// countsIn are the counts of a text, in their order.
func countsIn(text string) (all []count) {
	add := func(from, to int, window time.Duration) {
		if timeText.MatchString(text[to:]) || slices.ContainsFunc(all, func(c count) bool { return c.at == from }) {
			return
		}
		n, _ := strconv.Atoi(text[from:to]) // digits, by the patterns
		all = append(all, count{from, n, window})
	}
	for _, m := range everyText.FindAllStringSubmatchIndex(text, -1) {
		n := ""
		if m[4] >= 0 {
			n = text[m[4]:m[5]]
		}
		add(m[2], m[3], unit(n, text[m[6]:m[7]]))
	}
	for _, m := range countedText.FindAllStringSubmatchIndex(text, -1) {
		var window time.Duration
		if far := farText.FindStringSubmatch(text[m[1]:]); far != nil {
			window = unit(far[1], far[2])
		}
		add(m[2], m[3], window)
	}
	for _, what := range []*regexp.Regexp{eachText, afterText} {
		for _, m := range what.FindAllStringSubmatchIndex(text, -1) {
			add(m[2], m[3], 0)
		}
	}
	slices.SortFunc(all, func(a, b count) int { return a.at - b.at })
	return all
}

var (
	strongBreak = regexp.MustCompile(`[;.](?:\s|$)`)
	weakBreak   = regexp.MustCompile(`(?i),(?:\s*and\b)?|\b(?:and|or|but)\b`)
	brokenCount = regexp.MustCompile(`(?:\d[.,]|(?:^|\s)[-\x{2212}]|\d\s?[-\x{2013}]\s?)$`)
	otherText   = regexp.MustCompile(`(?i)\b(?:requests?|reqs?|calls?|apis?|clients?|tokens?|uploads?|downloads?|reads?|writes?|registrations?|sign-?ups?|resets?|mails?|messages?)\b`)
)

// oneLimit is the part of a text that is about one limit, on sign-ins where it has
// several; else why there is none.
func oneLimit(text string) (part, trouble string) {
	all := countsIn(text)
	for _, c := range all {
		if before := brokenCount.FindString(text[:c.at]); before != "" {
			return "", fmt.Sprintf("the count %q is none: want a whole number", strings.TrimSpace(before)+strconv.Itoa(c.n))
		}
	}
	if len(all) > 0 && burstText.MatchString(text) {
		return "", "a burst is spoken of, which a limit has no word for: want how many may come, and within how long"
	}
	if !slices.ContainsFunc(all, func(c count) bool {
		return c.n != all[0].n || c.window > 0 && all[0].window > 0 && c.window != all[0].window
	}) {
		return text, ""
	}
	var parts, ours, others []string
	from := 0
	for i := range all {
		to := len(text)
		if i+1 < len(all) {
			to = breakOf(text, all[i].at, all[i+1].at)
		}
		p := text[from:to]
		from = to
		parts = append(parts, printable(strings.Trim(p, " ,;.")))
		switch m := countText.FindStringSubmatch(p); {
		case m != nil && m[1] != "", aboutLogin.MatchString(p):
			ours = append(ours, p)
		case otherText.MatchString(p):
			others = append(others, p)
		}
	}
	if len(ours) == 1 && len(others) == len(parts)-1 {
		return strings.TrimLeft(ours[0], " ,;."), ""
	}
	n := "several"
	if len(parts) == 2 {
		n = "two"
	}
	return "", fmt.Sprintf("%s limits were found (%s): name one", n, strings.Join(parts, "; "))
}

// breakOf is where the words before the count at to begin, that are none of the one at from.
func breakOf(text string, from, to int) int {
	for _, what := range []*regexp.Regexp{strongBreak, weakBreak} {
		if m := what.FindAllStringIndex(text[from:to], -1); m != nil {
			return from + m[len(m)-1][0]
		}
	}
	return to
}
