package profile

import (
	"encoding/json"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// methods that an operation may be sent with.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func (r *reader) operation(n *yaml.Node) Operation {
	var o Operation
	at := map[string]*yaml.Node{}
	status := func(name string, into *int) func(*yaml.Node) {
		return func(n *yaml.Node) { at[name] = n; r.status(name, into)(n) }
	}
	found := r.Fields(n, "an operation", strict.Fields{
		"method": r.word("method", &o.Method, methods...),
		"path": func(n *yaml.Node) {
			o.Path = r.Word(n, "path")
			switch {
			case o.Path == "":
			case !strings.HasPrefix(o.Path, "/"):
				r.Fail(n, "", "path: found %q, expected one that begins with /", o.Path)
			case strings.ContainsAny(o.Path, " \t\r\n#"):
				r.Fail(n, "write %20 for a blank", "path: found %q, expected one without blanks and fragments", o.Path)
			}
			r.placeholders(n, o.Path)
		},
		"body": func(n *yaml.Node) {
			o.Body = map[string]any{}
			r.Pairs(n, "body", func(k, v *yaml.Node) { o.Body[k.Value] = r.tree(v) })
		},
		"header": func(n *yaml.Node) {
			o.Header = map[string]string{}
			r.Pairs(n, "header", func(k, v *yaml.Node) {
				o.Header[k.Value] = r.Text(v, k.Value)
				r.header(v, k.Value, o.Header[k.Value])
				r.placeholders(v, o.Header[k.Value])
			})
		},
		"form":    func(n *yaml.Node) { o.Form = r.Bool(n, "form") },
		"ok":      status("ok", &o.OK),
		"refused": status("refused", &o.Refuse),
		"policy":  func(n *yaml.Node) { o.Policy = r.Word(n, "policy") },
		"fields": func(n *yaml.Node) {
			o.Fields = map[string]string{}
			r.Pairs(n, "fields", func(k, v *yaml.Node) {
				if fields[k.Value] == "" {
					r.given[k.Value] = k
				}
				o.Fields[k.Value] = r.path(v, "a field's place")
			})
		},
	})
	if found["method"] == nil && n.Kind == yaml.MappingNode {
		o.Method = "GET"
	}
	if found["path"] == nil && n.Kind == yaml.MappingNode {
		r.Fail(n, "as in path: /api/v1/auth/login", "an operation needs its path")
	}
	r.apart(at, o)
	if o.Form && o.Body == nil {
		r.Fail(n, "", "a form needs a body")
	}
	return o
}

// apart refuses an operation that says no to a credential as it says yes: of an answer to
// a credential the status alone is read.
func (r *reader) apart(at map[string]*yaml.Node, o Operation) {
	if !o.Succeeded(o.Refusal()) {
		return
	}
	const why = "so that a wrong credential could not be told from a right one"
	switch {
	case at["refused"] == nil:
		r.Fail(at["ok"], "give refused another status", "ok: found %d, which is that of a refusal where refused is left out, %s", o.OK, why)
	case at["ok"] == nil:
		r.Fail(at["refused"], "give ok another status", "refused: found %d, which is a success where ok is left out, %s", o.Refuse, why)
	default:
		r.Fail(at["refused"], "one of them needs another status", "refused: found %d, which is ok as well, %s", o.Refuse, why)
	}
}

// path reads a place in an answer: names and numbers with dots between, or "."
// for the whole answer.
func (r *reader) path(n *yaml.Node, what string) string {
	place := r.Word(n, what)
	if place == "." || place == "" {
		return place
	}
	for part := range strings.SplitSeq(place, ".") {
		if part == "" || strings.TrimSpace(part) != part {
			r.Fail(n, "as in data.items.0.id, or . for the whole answer", "%s: found %q, expected names with a dot between", what, place)
			break
		}
	}
	return place
}

// braces are a placeholder, or the beginning of one. An end alone is text, as in a query of
// GraphQL: {me{id}}.
var braces = regexp.MustCompile(`\{\{[^{}]*\}\}|\{\{`)

// placeholders notes what a text asks for, and refuses what is no placeholder.
func (r *reader) placeholders(n *yaml.Node, text string) {
	for _, m := range braces.FindAllString(text, -1) {
		if placeholder.FindString(m) != m {
			r.Fail(n, "as in {{user_id}}", "found %q, expected a placeholder of small letters, digits and underscores", m)
			continue
		}
		r.asked = append(r.asked, asked{m[2 : len(m)-2], n})
	}
}

// isNumber is a number as JSON writes it, which is sent as it was written.
var isNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// tree is a YAML value as JSON holds it. Numbers stay as they are written; one that
// JSON would write otherwise, as 02142 or 1_000, is a mistake: nobody knows whether
// it is a number or a text.
func (r *reader) tree(n *yaml.Node) any {
	switch n.Kind {
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = r.tree(c)
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		r.Pairs(n, "a body", func(k, v *yaml.Node) { out[k.Value] = r.tree(v) })
		return out
	}
	if n.Style == 0 && isNumber.MatchString(n.Value) {
		return json.Number(n.Value) // also one that is beyond 64 bits, a text to YAML
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return r.Bool(n, "a flag")
	case "!!int", "!!float":
		r.Fail(n, `quote it if it is text: "`+n.Value+`"`, "found %s, expected a decimal number as JSON writes it", n.Value)
		return json.Number(n.Value)
	}
	r.placeholders(n, n.Value)
	return n.Value
}
