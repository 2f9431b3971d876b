package importer

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// fitting is a text that a pattern of a schema matches, of a length within bounds; false
// when it has no simple one: patterns of schemas are ECMAScript's, which knows more.
func fitting(pattern string, shortest, longest int) (string, bool) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	match, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	for more := range 65 { // repetitions beyond the least
		w := patternWriter{more: more, left: 2000}
		if !w.write(tree) {
			return "", false
		}
		text := w.text.String()
		if n := utf8.RuneCountInString(text); n > 0 && n >= shortest && n <= longest && match.MatchString(text) && plainText(text) {
			return text, true
		}
	}
	return "", false
}

// plainText tells whether a text can be sent as it stands: nothing but signs of ASCII, and
// no braces that would be read as a placeholder.
func plainText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) && literal(text) == text
}

// patternWriter writes what a pattern matches.
type patternWriter struct {
	text strings.Builder
	more int // repetitions beyond the least, where the pattern leaves them open
	left int // parts that may still be looked at: repetitions may be nested
}

// write writes what a part of the pattern matches; false when it cannot.
func (w *patternWriter) write(part *syntax.Regexp) bool {
	if w.left--; w.left < 0 {
		return false
	}
	times := 1
	switch part.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary:
		return true
	case syntax.OpLiteral:
		w.text.WriteString(string(part.Rune))
		return true
	case syntax.OpCharClass:
		r, ok := usual(part.Rune)
		w.text.WriteRune(r)
		return ok
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.text.WriteByte('a')
		return true
	case syntax.OpAlternate:
		return w.write(part.Sub[0])
	case syntax.OpStar:
		times = w.more
	case syntax.OpPlus:
		times = 1 + w.more
	case syntax.OpQuest:
		times = min(w.more, 1)
	case syntax.OpRepeat:
		if times = part.Min + w.more; part.Max >= 0 {
			times = min(times, part.Max)
		}
	case syntax.OpCapture, syntax.OpConcat:
	default:
		return false
	}
	for range times {
		for _, sub := range part.Sub {
			if !w.write(sub) {
				return false
			}
		}
	}
	return true
}

// usual is a letter or digit of a class of characters, given as pairs from and to; else
// its first character.
func usual(ranges []rune) (rune, bool) {
	for _, try := range "a1A0" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= try && try <= ranges[i+1] {
				return try, true
			}
		}
	}
	if len(ranges) == 0 {
		return 0, false
	}
	return ranges[0], true
}
