package importer

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// Generators that a source asks for are marked while it is read, so that no other text of it
// is taken for one; unquoted stands before one that is no text in JSON.
const (
	markBegin = "\ue000"
	markEnd   = "\ue001"
	unquoted  = "\ue002"
)

var (
	marked      = regexp.MustCompile(markBegin + `(?:uuid|now|int [0-9]+ [0-9]+)` + markEnd)
	filledIn    = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	bareInJSON  = regexp.MustCompile(`"` + unquoted + `(\{\{[^{}"]*\}\})"`)
	wholeNumber = regexp.MustCompile(`^\{\{int ([0-9]+) ([0-9]+)\}\}$`)
)

// mark is a generator in a text that is still read.
func mark(generator string) string { return markBegin + generator + markEnd }

// placed is a text with the placeholders that its marks stand for; change fits the rest of
// it into its place.
func placed(text string, change func(string) string) string {
	return outside(marked, text, change, func(m string) string {
		return "{{" + strings.TrimSuffix(strings.TrimPrefix(m, markBegin), markEnd) + "}}"
	})
}

// outside changes what stands between the matches of a pattern, and the matches by another
// rule.
func outside(pattern *regexp.Regexp, text string, change, match func(string) string) string {
	var b strings.Builder
	from := 0
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		b.WriteString(change(text[from:at[0]]) + match(text[at[0]:at[1]]))
		from = at[1]
	}
	return b.String() + change(text[from:])
}

// sampled is a text for the profile, which has no numbers that are made anew: one between
// their bounds takes their place. ok is false when it has a placeholder that only a
// scenario fills in.
func sampled(text string) (v any, ok bool) {
	text, bare := strings.CutPrefix(text, unquoted)
	ok = true
	text = filledIn.ReplaceAllStringFunc(text, func(p string) string {
		if m := wholeNumber.FindStringSubmatch(p); m != nil {
			low, _ := strconv.Atoi(m[1]) // both are digits
			high, _ := strconv.Atoi(m[2])
			return strconv.Itoa((low + high) / 2)
		}
		ok = ok && profileOwn.MatchString(p)
		return p
	})
	if bare && isNumber.MatchString(text) {
		return json.Number(text), ok
	}
	return text, ok
}

// texts is a JSON value whose texts f gave other values.
func texts(v any, f func(string) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, c := range v {
			out[k] = texts(c, f)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = texts(v[i], f)
		}
		return out
	case string:
		return f(v)
	}
	return v
}
