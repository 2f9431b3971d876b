package importer

import (
	"regexp"
	"strings"

	"github.com/pb33f/libopenapi/datamodel/high/base"
)

// textOf is a text of a format; one that must be new each time is a placeholder.
func textOf(s *base.Schema) string {
	switch s.Format {
	case "date":
		return "\x00today"
	case "date-time":
		return "\x00now"
	case "uuid":
		return "\x00uuid"
	case "email":
		return "someone@example.com"
	case "uri", "url":
		return "https://example.com/"
	case "ipv4":
		return "192.0.2.1"
	case "byte":
		return "dGVzdA=="
	}
	if s.Pattern != "" {
		shortest, longest := int64(0), int64(200)
		if s.MinLength != nil {
			shortest = *s.MinLength
		}
		if s.MaxLength != nil {
			longest = *s.MaxLength
		}
		if text, ok := fitting(s.Pattern, int(min(shortest, 1000)), int(min(longest, 1000))); ok {
			return fitted + text + fitted
		}
	}
	text := "text"
	if s.MinLength != nil {
		for int64(len(text)) < min(*s.MinLength, 200) {
			text += " text"
		}
	}
	if s.MaxLength != nil && int64(len(text)) > *s.MaxLength {
		text = text[:max(0, *s.MaxLength)]
	}
	return strings.TrimRight(text, " ")
}

// inventedText is what textOf gives where a schema says nothing but its length, which
// may cut it.
var inventedText = regexp.MustCompile(`^(text )*t(e(xt?)?)?$`)

// invented says which fields of a body nobody gave a value: an API may refuse them.
func (d *outline) invented(body any) []string {
	if !strings.HasPrefix(d.kind, "OpenAPI") && !strings.HasPrefix(d.kind, "Swagger") {
		return nil // it was sent once
	}
	var places []string
	for _, f := range walk(body) {
		if s, ok := f.value.(string); ok && inventedText.MatchString(s) {
			places = append(places, f.place)
		}
	}
	if len(places) == 0 {
		return nil
	}
	return []string{"the document has no example for " + strings.Join(places, ", ") + ": a text was invented"}
}

// named makes a text more like what the field's name says, where the schema says
// nothing.
func named(name string, v any, s *base.Schema) any {
	if v != "text" || s.Format != "" {
		return v
	}
	p := plain(name)
	switch {
	case strings.Contains(p, "email"):
		return "someone@example.com"
	case p == "name" || p == "title" || strings.HasSuffix(p, "name"):
		return "Test " + strings.Join(lower(name), " ")
	case p == "timezone":
		return "UTC"
	case strings.Contains(p, "phone"):
		return "+15550100"
	}
	return v
}

// fitted stands around a text that was made to fit a pattern, until it is known whether
// the document has an example of the same name, which is better.
const fitted = "\x00"

// exampled gives the invented texts of bodies the value that a field of the same name has
// elsewhere in the document. Ids are not taken: there need be no such object.
func exampled(calls []*call) {
	known := map[string]any{}
	for _, c := range calls {
		for _, v := range []any{c.body, c.answer} {
			for _, f := range walk(v) {
				key := plain(f.key)
				if s, text := f.value.(string); text && s != "" && known[key] == nil && !madeUp(s) && !strings.HasSuffix(key, "id") && !secretKey.MatchString(key) {
					known[key] = s
				}
			}
		}
	}
	for _, c := range calls {
		c.body = replaced(c.body, func(key string, v any) (any, bool) {
			s, text := v.(string)
			told, ok := known[plain(key)]
			return told, text && ok && madeUp(s)
		})
	}
}

// madeUp tells whether a text was made of nothing but its type, or its pattern.
func madeUp(text string) bool {
	return inventedText.MatchString(text) || len(text) > 1 && strings.HasPrefix(text, fitted) && strings.HasSuffix(text, fitted)
}
