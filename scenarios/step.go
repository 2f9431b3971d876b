package scenarios

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// methods are the fields that say what a step sends, and where to.
var methods = map[string]string{
	"get": http.MethodGet, "head": http.MethodHead, "post": http.MethodPost,
	"put": http.MethodPut, "patch": http.MethodPatch, "delete": http.MethodDelete,
}

func (r *reader) stepFields(s *Step) strict.Fields {
	fields := strict.Fields{
		"name":      func(n *yaml.Node) { s.Name = r.title(n) },
		"header":    func(n *yaml.Node) { s.Header = r.header(n, "header", false) },
		"body":      func(n *yaml.Node) { s.Body = r.body(n) },
		"anonymous": func(n *yaml.Node) { s.Anonymous = r.Bool(n, "anonymous") },
		"expect":    func(n *yaml.Node) { s.Expect = r.expect(n) },
		"save":      func(n *yaml.Node) { s.Save = r.save(n) },
		"forget": func(n *yaml.Node) {
			r.List(n, "forget", func(n *yaml.Node) { s.Forget = append(s.Forget, r.Word(n, "forget")) })
		},
		"timeout": func(n *yaml.Node) { s.Timeout = r.positive(n, "timeout") },
	}
	// What other tools call these is no field here; say what is.
	for _, field := range []string{"path", "method", "url"} {
		fields[field] = func(n *yaml.Node) {
			r.Fail(n, "as in get: /api/v1/medications", "found %s, expected the method as the field and the path as its value", field)
		}
	}
	for field, method := range methods {
		fields[field] = func(n *yaml.Node) {
			if s.Method != "" {
				r.Fail(n, "one request is one step", "found %s beside %s", field, strings.ToLower(s.Method))
			}
			s.Method, s.Path = method, r.Word(n, field)
			if s.Path != "" && !strings.HasPrefix(s.Path, "/") {
				r.Fail(n, "the host comes from the stack", "%s: found %q, expected a path that begins with /", field, s.Path)
			} else if strings.ContainsFunc(withoutPlaceholders(s.Path), unsendable) {
				r.Fail(n, "write %20 for a space", "%s: found %q, expected a path without spaces or control characters", field, s.Path)
			}
		}
	}
	return fields
}

// title reads a name that a target can stand on: p95(NAME) < 300ms.
func (r *reader) title(n *yaml.Node) string {
	name := r.Word(n, "name")
	if strings.ContainsAny(name, "()") || strings.ContainsFunc(name, unicode.IsControl) || name != strings.Join(strings.Fields(name), " ") {
		r.Fail(n, "targets name it in parentheses", "name: found %q, expected single words without parentheses", name)
	}
	return name
}

// unsendable is what would break the request line.
func unsendable(c rune) bool { return c <= ' ' || c == 0x7f }

// whole finds a step that sends nothing.
func (r *reader) whole(n *yaml.Node, found map[string]*yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for field := range methods {
		if found[field] != nil {
			return
		}
	}
	r.Fail(n, "as in get: /api/v1/medications", "the step sends nothing, expected one of %s", strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
}

// header reads names and values; without a value it only has to be present,
// where that is allowed.
func (r *reader) header(n *yaml.Node, what string, present bool) map[string]string {
	out := map[string]string{}
	r.Pairs(n, what, func(key, value *yaml.Node) {
		if !token.MatchString(key.Value) {
			r.Fail(key, "", "%s: found %q, expected a header's name", what, key.Value)
			return
		}
		if present && value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
			out[key.Value] = ""
			return
		}
		v := r.Text(value, key.Value)
		if strings.ContainsAny(v, "\r\n\x00") {
			r.Fail(value, "", "%s: found %q, expected one line", key.Value, v)
			return
		}
		out[key.Value] = v
	})
	return out
}

// token is a header's name (RFC 9110, 5.6.2).
var token = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

func (r *reader) expect(n *yaml.Node) (e Expect) {
	r.Fields(n, "expect", strict.Fields{
		"status": func(n *yaml.Node) { e.Status = r.statuses(n) },
		"header": func(n *yaml.Node) { e.Header = r.header(n, "header", true) },
		"body":   func(n *yaml.Node) { e.Body = r.Word(n, "body") },
		"json": func(n *yaml.Node) {
			e.JSON = map[string]string{}
			r.Pairs(n, "json", func(key, value *yaml.Node) {
				if value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
					e.JSON[key.Value] = ""
					return
				}
				e.JSON[key.Value] = r.Text(value, key.Value)
			})
		},
	})
	return e
}

// statuses reads one status or a list of them.
func (r *reader) statuses(n *yaml.Node) (codes []int) {
	one := func(n *yaml.Node) {
		code := r.Int(n, "status", 100)
		if code > 599 {
			r.Fail(n, "", "status: found %q, expected 100 to 599", n.Value)
		}
		codes = append(codes, code)
	}
	if n.Kind == yaml.SequenceNode {
		r.List(n, "status", one)
	} else {
		one(n)
	}
	return codes
}

// variable is the name of a saved value.
var variable = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

func (r *reader) save(n *yaml.Node) map[string]string {
	out := map[string]string{}
	r.Pairs(n, "save", func(key, value *yaml.Node) {
		if !variable.MatchString(key.Value) {
			r.Fail(key, "", "save: found %q, expected a name of small letters, digits and _", key.Value)
			return
		}
		from := r.Word(value, key.Value)
		kind, rest, ok := strings.Cut(from, ":")
		switch {
		case from == "":
			return
		case !ok || rest == "" || kind != "json" && kind != "header" && kind != "regexp":
			r.Fail(value, "as in json:items.0.id", "%s: found %q, expected json:PATH, header:NAME or regexp:PATTERN", key.Value, from)
			return
		case kind == "header" && !token.MatchString(rest):
			r.Fail(value, "", "%s: found %q, expected a header's name after header:", key.Value, from)
		case kind == "regexp":
			if _, err := regexp.Compile(rest); err != nil {
				r.Fail(value, "", "%s: %v", key.Value, err)
			}
		}
		out[key.Value] = from
	})
	return out
}

// body is text as it stands, or fields, which are sent as JSON in their order.
func (r *reader) body(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return r.Word(n, "body")
	}
	var b bytes.Buffer
	r.json(&b, n)
	return b.String()
}

func (r *reader) json(b *bytes.Buffer, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		sep := byte('{')
		r.Pairs(n, "body", func(key, value *yaml.Node) {
			b.WriteByte(sep)
			sep = ','
			r.encode(b, key, key.Value)
			b.WriteByte(':')
			r.json(b, value)
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
			r.json(b, c)
		}
		b.WriteByte(']')
	default:
		var v any = n.Value
		switch n.ShortTag() {
		case "!!int", "!!float", "!!bool", "!!null":
			if err := n.Load(&v); err != nil {
				r.Fail(n, "", "body: found %q, expected a value that JSON knows", n.Value)
				return
			}
		}
		r.encode(b, n, v)
	}
}

// encode writes <, > and & as they are: a body is not for a browser.
func (r *reader) encode(b *bytes.Buffer, n *yaml.Node, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		r.Fail(n, "quote it to send it as text", "body: found %q, expected a value that JSON knows", n.Value)
		return
	}
	b.Truncate(b.Len() - 1) // the encoder's newline
}
