package load

import (
	"regexp"
	"strings"

	"vitals/internal/redact"
	"vitals/scenarios"
)

// placeholder is one as a scenario writes it: no secret, whatever it stands for.
var placeholder = regexp.MustCompile(`\{\{.*?\}\}`)

// Written is a path or a body as a scenario writes it, for a person: without the secrets
// that stand in it. Placeholders stay.
func Written(text string) string {
	for _, f := range secretForms {
		text = f.redact(text, "{{")
	}
	return text
}

// WrittenBody is a step's body as Written shows it; in base64 where it is no text, whose
// secrets are looked for in the bytes.
func WrittenBody(s *scenarios.Step) string {
	if s.Binary == nil {
		return Written(s.Body)
	}
	text := make([]rune, len(s.Binary))
	for i, b := range s.Binary {
		text[i] = rune(b)
	}
	if Written(string(text)) != string(text) {
		return "base64:" + redact.Mark
	}
	return s.Body
}

// WrittenHeader is the value of a request's header as a scenario writes it, as Written
// shows a body.
func WrittenHeader(name, value string) string {
	switch {
	case !hidden.MatchString(name):
		return Written(value)
	case strings.EqualFold(name, "Cookie"):
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			if name, value, named := strings.Cut(pair, "="); named {
				pairs[i] = name + "=" + withoutWords(value)
			} else {
				pairs[i] = withoutWords(pair)
			}
		}
		return strings.Join(pairs, ";")
	}
	begin := ""
	if strings.HasSuffix(strings.ToLower(name), "authorization") {
		begin = scheme.FindString(value)
	}
	return begin + withoutWords(value[len(begin):])
}

// withoutWords leaves nothing of a text but its placeholders.
func withoutWords(text string) string {
	var b strings.Builder
	literal := func(s string) {
		if strings.TrimSpace(s) != "" {
			s = redact.Mark
		}
		b.WriteString(s)
	}
	from := 0
	for _, at := range placeholder.FindAllStringIndex(text, -1) {
		literal(text[from:at[0]])
		b.WriteString(text[at[0]:at[1]])
		from = at[1]
	}
	literal(text[from:])
	return b.String()
}
