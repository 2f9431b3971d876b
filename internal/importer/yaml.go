package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// page is a YAML text as a person would write it: two spaces a level, comments above
// what they are about, quotes where they are needed.
type page struct {
	b      strings.Builder
	decide int
}

// line writes one line at a level.
func (p *page) line(level int, format string, args ...any) {
	p.b.WriteString(strings.Repeat("  ", level) + asSplit.Replace(fmt.Sprintf(format, args...)) + "\n")
}

// mark writes what a person must decide, above what it is about.
func (p *page) mark(level int, about []string) {
	for _, text := range about {
		p.decide++
		p.line(level, "%s", comment("decide: %s", printable(text)))
	}
}

var bare = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9 _./-]*[A-Za-z0-9_./-]$|^[A-Za-z]$`)

// text is a scalar, quoted unless it is a plain word.
func text(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return `"` + s + `"`
	}
	if bare.MatchString(s) && !strings.Contains(s, "  ") && !strings.HasPrefix(s, "//") {
		return s
	}
	return flow(s)
}

// flow is a JSON value on one line, which is YAML as well: what YAML cannot hold as
// it stands is escaped.
func flow(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return `""` // no value that came from JSON
	}
	return escaped(bareInJSON.ReplaceAllString(strings.TrimSuffix(b.String(), "\n"), "$1"))
}

// escaped writes what YAML calls not printable as JSON escapes.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 0x7f && r < 0xa0, r >= 0x2028 && r <= 0x2029, r >= 0xfff0 && r <= 0xffff && r != utf8.RuneError, r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printable is a text for a comment.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r >= 0xfff0 && r <= 0xffff && r != utf8.RuneError {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// pairs is a mapping on one line.
func pairs(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, k := range keys(m) {
		parts = append(parts, flowKey(k)+": "+flowText(m[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

var bareKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func flowKey(k string) string {
	if bareKey.MatchString(k) && text(k) == k {
		return k
	}
	return flow(k)
}

// flowText is a scalar within brackets.
func flowText(s string) string {
	if bareKey.MatchString(s) && text(s) == s || regexp.MustCompile(`^[a-z]+:[A-Za-z0-9_.-]+$`).MatchString(s) {
		return s
	}
	if needsQuote.MatchString(s) && plainASCII.MatchString(s) {
		return "'" + s + "'" // as people write an expression
	}
	return flow(s)
}

var (
	needsQuote = regexp.MustCompile(`["\\]`)
	plainASCII = regexp.MustCompile(`^[ -&(-~]*$`) // without a single quote
)

// fields writes a mapping's fields, a line each; what is nested stands on its line.
func (p *page) fields(level int, m map[string]any) {
	for _, k := range keys(m) {
		p.line(level, "%s: %s", flowKey(k), flow(m[k]))
	}
}

// header writes the headers of a request.
func (p *page) header(level int, header [][2]string) {
	m := map[string]string{}
	for _, h := range header {
		m[h[0]] = h[1]
	}
	if len(m) > 0 {
		p.line(level, "header: %s", pairs(m))
	}
}

// wide tells whether a body is written over several lines.
func wide(m map[string]any) bool { return len(m) > 0 && len(flow(m)) > 100 }
