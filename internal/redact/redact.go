// Package redact takes secrets out of texts in every spelling in which an answer may
// repeat them.
package redact

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Mark stands where a secret was.
const Mark = "[redacted]"

// Least is how long the value of a cookie, and what a percent-encoded secret is decoded,
// is at least to be taken out of other texts: lang=en opens nothing, and its value would
// be found in ordinary words.
const Least = 6

// Secret is a text to be taken out of others. It is safe for concurrent use.
type Secret struct {
	text    string
	same    string                // the part that every spelling leaves as it is
	pattern func() *regexp.Regexp // of all spellings, made when it is first needed
}

// New is a secret with this text. An empty one is nowhere.
func New(text string) *Secret {
	return &Secret{text: text, same: core(text), pattern: sync.OnceValue(func() *regexp.Regexp {
		ways := spelled(text)
		if plain, err := url.PathUnescape(text); err == nil && plain != text && len(plain) >= Least {
			ways += "|" + spelled(plain)
		}
		return regexp.MustCompile(ways)
	})}
}

// spelled is a pattern of all spellings of a text.
func spelled(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteString(spellings(c))
	}
	return b.String()
}

// Hide is text with Mark in place of every occurrence of the secret: as it is, within
// JSON at any depth of quoting (\", \\\", \u0022), percent-encoded in full or in part
// (RFC 3986 and forms), and as HTML entities. One that is percent-encoded itself, as
// the values of cookies are, is found decoded too.
func (s *Secret) Hide(text string) string {
	switch {
	case s.text == "" || !strings.Contains(text, s.same):
		return text
	case s.same == s.text:
		return strings.ReplaceAll(text, s.text, Mark)
	}
	return s.pattern().ReplaceAllLiteralString(text, Mark)
}

// May reports whether the text may hold the secret in some spelling. It makes nothing,
// so that it can be asked of every answer; only Hide is certain.
func May(text, secret []byte) bool {
	from, size := 0, 0
	for at, run := 0, 0; at < len(secret); at++ {
		if run++; !unreserved(rune(secret[at])) {
			run = 0
		}
		if encoded(secret[at:]) {
			at += 2
		}
		if run > size {
			from, size = at+1-run, run
		}
		if size > len(text) {
			return false
		}
	}
	return bytes.Contains(text, secret[from:from+size])
}

// octet is one that is percent-encoded.
var octet = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// encoded tells whether a text begins with one.
func encoded(text []byte) bool {
	return len(text) > 2 && text[0] == '%' && hexadecimal(text[1]) && hexadecimal(text[2])
}

func hexadecimal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|' ' && c|' ' <= 'f'
}

// core is the longest part of a secret that every spelling leaves as it is.
func core(secret string) (longest string) {
	for _, part := range strings.FieldsFunc(octet.ReplaceAllString(secret, "%"), func(c rune) bool { return !unreserved(c) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

func unreserved(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-._~", c)
}

// entities are the names of characters in HTML, and shorts their letters in JSON; all
// have numbers too.
var (
	entities = map[rune]string{'"': "quot", '&': "amp", '<': "lt", '>': "gt", '\'': "apos"}
	shorts   = map[rune]string{'\n': "n", '\r': "r", '\t': "t", '\b': "b", '\f': "f"}
)

// spellings is a pattern of the ways to write one character. Unreserved ones are
// never written otherwise but by hand.
func spellings(c rune) string {
	if unreserved(c) {
		return regexp.QuoteMeta(string(c))
	}
	octets := ""
	for _, octet := range utf8.AppendRune(nil, c) {
		octets += fmt.Sprintf(`%%%02x`, octet)
	}
	ways := []string{octets, fmt.Sprintf(`\\u%04x`, c), fmt.Sprintf(`&#0*%d;`, c), fmt.Sprintf(`&#x0*%x;`, c)}
	if high, low := utf16.EncodeRune(c); c > 0xffff {
		ways = append(ways, fmt.Sprintf(`\\+u%04x\\+u%04x`, high, low))
	}
	if name := entities[c]; name != "" {
		ways = append(ways, "&"+name+";")
	}
	more := `\\*` + regexp.QuoteMeta(string(c))
	if letter := shorts[c]; letter != "" {
		more += `|\\+` + letter
	}
	if c == ' ' {
		more += `|\+`
	}
	return `(?:\\*(?i:` + strings.Join(ways, "|") + ")|" + more + ")"
}
