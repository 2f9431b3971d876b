package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var words = regexp.MustCompile(`[A-Z]+[a-z0-9]*|[a-z0-9]+`)

// slug is a name of small letters, digits and dashes: "Pet Store" → pet-store.
func slug(text string) string { return cutAt(strings.Join(lower(text), "-"), 60) }

// variable is the name of a saved value: "petId" → pet_id.
func variable(text string) string {
	name := cutAt(strings.Join(lower(text), "_"), 60)
	switch {
	case name == "":
		return "value"
	case name[0] >= '0' && name[0] <= '9':
		return "v" + name
	}
	switch name {
	case "uuid", "seq", "now", "today", "int", "pick", "env": // these are made anew each time
		return name + "_value"
	case "email", "password", "token", "expires_in": // these belong to the account
		return "the_" + name
	}
	return name
}

func lower(text string) []string {
	parts := words.FindAllString(text, -1)
	for i := range parts {
		parts[i] = strings.ToLower(parts[i])
	}
	return parts
}

// plain is a key without case and separators: "Access-Token" → accesstoken.
func plain(key string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, key)
}

// stepName is a text that targets can name: single words without parentheses.
func stepName(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '(' || r == ')' || r == '{' || r == '}' || r == utf8.RuneError || unicode.IsControl(r) || !unicode.IsPrint(r):
			return ' '
		}
		return r
	}, text)
	return strings.TrimRight(cutAt(strings.Join(strings.Fields(text), " "), 60), " .")
}

// cutAt keeps at most n bytes of a text, and no half letter.
func cutAt(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// unique gives out names, each once.
type unique map[string]bool

func (u unique) name(text, other string) string {
	if text == "" {
		text = other
	}
	name := text
	for n := 2; u[name]; n++ {
		name = text + " " + strconv.Itoa(n)
	}
	u[name] = true
	return name
}

// literal is a text of the source that must be sent as it stands: braces that would
// read as a placeholder are parted. Generators that the source asks for are filled in.
func literal(text string) string { return placed(text, parted) }

// literals is literal for every text of a JSON value, bounded in depth.
func literals(v any, deep int) any {
	switch v := v.(type) {
	case string:
		return literal(strings.ToValidUTF8(v, "\uFFFD"))
	case []any:
		if deep <= 0 {
			return []any{}
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = literals(v[i], deep-1)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, c := range v {
			if k = literal(strings.ToValidUTF8(k, "\uFFFD")); deep > 0 && len(k) < 500 {
				out[k] = literals(c, deep-1)
			}
		}
		return out
	}
	return v
}

// isNumber is a number as JSON writes it (RFC 8259, 6). The readers of the files send one
// without quotes as it is written, however long it is.
var isNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// sendable is a path as a request line may hold it; placeholders stay. Of a query, what is
// sent as it stands stays as well.
func sendable(path string) string {
	path = inAddress.Replace(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	var b strings.Builder
	odd := "#\"<>\\^`{|}"
	for rest := path; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		for i := range len(before) {
			c := before[i]
			if c == '?' {
				odd = "#"
			}
			if c <= ' ' || c >= 0x7f || strings.IndexByte(odd, c) >= 0 {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
		inside, tail, closed := strings.Cut(after, "}}")
		if !found || !closed {
			break
		}
		b.WriteString("{{" + inside + "}}")
		rest = tail
	}
	return b.String()
}

var isHeader = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

// singular drops an English plural, well enough for names of ids.
func singular(word string) string {
	switch {
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses") || strings.HasSuffix(word, "xes") || strings.HasSuffix(word, "ches"):
		return word[:len(word)-2]
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && len(word) > 2:
		return word[:len(word)-1]
	}
	return word
}
