package scenarios

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// body is text as it stands, or fields, which are sent in their order as JSON, or
// as a form where the header says so.
func (r *reader) body(n *yaml.Node, header map[string]string) string {
	if n.Kind == yaml.ScalarNode {
		return r.Word(n, "body")
	}
	var b bytes.Buffer
	switch kind := contentType(header); {
	case kind == "" || strings.Contains(kind, "json"):
		r.json(&b, n, "body")
	case strings.Contains(kind, "x-www-form-urlencoded"):
		r.form(&b, n)
	default:
		r.Fail(n, "write the body as text", "body: found fields under Content-Type: %s, expected JSON or application/x-www-form-urlencoded", kind)
	}
	return b.String()
}

func contentType(header map[string]string) string {
	for name, value := range header {
		if strings.EqualFold(name, "Content-Type") {
			return strings.ToLower(value)
		}
	}
	return ""
}

// form writes fields as name=value pairs; a list is its name once for each entry.
func (r *reader) form(b *bytes.Buffer, n *yaml.Node) {
	add := func(key, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode {
			if inside, ok := placeholderOf(value); ok {
				value = &yaml.Node{Kind: yaml.ScalarNode, Value: inside}
			} else {
				r.Fail(value, "", "body: a form has plain values, found fields or a list within %s", key.Value)
				return
			}
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escapeAround(key.Value) + "=" + escapeAround(value.Value))
	}
	r.Pairs(n, "body", func(key, value *yaml.Node) {
		if value.Kind != yaml.SequenceNode {
			add(key, value)
			return
		}
		for _, c := range value.Content {
			add(key, c)
		}
	})
}

// escapeAround encodes for a form what is not within a placeholder: the engine
// encodes the values that it fills in.
func escapeAround(text string) string {
	var b strings.Builder
	for {
		open := strings.Index(text, "{{")
		end := strings.Index(text, "}}")
		if open < 0 || end < open {
			return b.String() + url.QueryEscape(text)
		}
		b.WriteString(url.QueryEscape(text[:open]) + text[open:end+2])
		text = text[end+2:]
	}
}

// placeholderOf is {{name}} without quotes around it, which YAML takes for fields
// within fields: in a body it is a value that is sent without quotes as well.
func placeholderOf(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || n.Style&yaml.FlowStyle == 0 {
		return "", false
	}
	key, nothing := n.Content[0], n.Content[1]
	if key.Kind != yaml.MappingNode || len(key.Content) != 2 || nothing.ShortTag() != "!!null" || key.Content[1].ShortTag() != "!!null" {
		return "", false
	}
	return "{{" + key.Content[0].Value + "}}", key.Content[0].Kind == yaml.ScalarNode
}

func (r *reader) json(b *bytes.Buffer, n *yaml.Node, what string) {
	switch n.Kind {
	case yaml.MappingNode:
		if inside, ok := placeholderOf(n); ok {
			b.WriteString(inside)
			return
		}
		sep := byte('{')
		r.Pairs(n, what, func(key, value *yaml.Node) {
			b.WriteByte(sep)
			sep = ','
			r.encode(b, key, what)
			b.WriteByte(':')
			r.json(b, value, what)
		})
		if sep == '{' {
			b.WriteByte(sep)
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			r.json(b, c, what)
		}
		b.WriteByte(']')
	default:
		r.plainValue(b, n, what)
	}
}

// plainValue writes a number as it was written, or not at all: YAML reads 02142 as
// 1122 and 1.10 as 1.1, and neither is what the author wants to send.
func (r *reader) plainValue(b *bytes.Buffer, n *yaml.Node, what string) {
	hint := "quote it to send it as text, or write it as JSON does"
	if what != "body" {
		hint = "quote it if it is a text, or write it as JSON does"
	}
	tag := n.ShortTag()
	if n.Style == 0 && jsonNumber.MatchString(n.Value) {
		tag = "!!float" // one that is beyond 64 bits, as 1e400, is a text to YAML
	}
	switch tag {
	case "!!int", "!!float":
		if !jsonNumber.MatchString(n.Value) {
			r.Fail(n, hint, "%s: found %s, which is no number in JSON", what, n.Value)
			return
		}
		b.WriteString(n.Value)
	case "!!bool":
		if n.Value != "true" && n.Value != "false" {
			r.Fail(n, hint, "%s: found %s, expected true, false or a text in quotes", what, n.Value)
			return
		}
		b.WriteString(n.Value)
	case "!!null":
		b.WriteString("null")
	default:
		r.encode(b, n, what)
	}
}

// jsonNumber is a number as JSON writes it (RFC 8259, 6).
var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

// encode writes a text in quotes. <, > and & stay as they are: a body is not for a
// browser. So does what is within a placeholder: the engine encodes what it fills in.
func (r *reader) encode(b *bytes.Buffer, n *yaml.Node, what string) {
	b.WriteByte('"')
	defer b.WriteByte('"')
	for text := n.Value; text != ""; {
		plain, inside := text, ""
		if open := strings.Index(text, "{{"); open >= 0 {
			if size := strings.Index(text[open:], "}}"); size >= 0 {
				plain, inside = text[:open], text[open:open+size+2]
			}
		}
		text = text[len(plain)+len(inside):]
		var quoted bytes.Buffer
		e := json.NewEncoder(&quoted)
		e.SetEscapeHTML(false)
		if err := e.Encode(plain); err != nil {
			r.Fail(n, "quote it to send it as text", "%s: found %q, expected a value that JSON knows", what, n.Value)
			return
		}
		b.Write(quoted.Bytes()[1 : quoted.Len()-2]) // without its quotes and the encoder's newline
		b.WriteString(inside)
	}
}
