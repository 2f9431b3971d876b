package importer

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	yaml "github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel/high/base"
)

// Bounds of what is made of a schema: deeper, or wider, nobody reads a body.
const (
	deepest = 6
	widest  = 60
)

// sampler makes sample values of schemas.
type sampler struct {
	answer bool // what only requests hold is left out, else what only answers hold
	left   int  // values that may still be made
}

// sample is a value that fits a schema: its own example, else one made of its type.
func sample(p *base.SchemaProxy, answer bool) any {
	s := sampler{answer: answer, left: 500}
	v, _ := s.of(p, 0)
	return literals(v, 12)
}

// of is a value of a schema; false when there is nothing to say of it.
func (s *sampler) of(p *base.SchemaProxy, deep int) (any, bool) {
	if s.left--; p == nil || deep > deepest || s.left < 0 {
		return nil, false
	}
	schema := p.Schema()
	if schema == nil {
		return nil, false
	}
	if v, ok := told(schema); ok {
		return v, true
	}
	out := map[string]any{}
	merged := false
	for _, part := range schema.AllOf {
		v, ok := s.of(part, deep+1)
		if m, is := v.(map[string]any); is && ok {
			for k, c := range m {
				out[k] = c
			}
			merged = true
		} else if ok && schema.Properties == nil {
			return v, true
		}
	}
	for _, either := range [][]*base.SchemaProxy{schema.OneOf, schema.AnyOf} {
		for _, part := range either {
			v, ok := s.of(part, deep+1)
			m, is := v.(map[string]any)
			switch {
			case !ok || v == nil:
				continue
			case is:
				for k, c := range m {
					out[k] = c
				}
				merged = true
			case schema.Properties == nil && !merged:
				return v, true
			}
			break
		}
	}
	if schema.Properties != nil {
		merged = true
		beside := namesOf(schema)
		for name, p := range schema.Properties.FromOldest() {
			if len(out) >= widest {
				break
			}
			inner := p.Schema()
			if inner == nil || s.answer && isTrue(inner.WriteOnly) || !s.answer && isTrue(inner.ReadOnly) {
				continue
			}
			// A request says what it must; of an answer every field may be asked for.
			if !s.answer && len(schema.Required) > 0 && !slices.Contains(schema.Required, name) && deep > 1 {
				continue
			}
			if !s.answer && spare(schema, name, inner) {
				continue
			}
			if v, ok := s.of(p, deep+1); ok {
				out[name] = granted(beside, name, named(name, v, inner), inner)
			}
		}
	}
	if merged {
		return out, true
	}
	return s.typed(schema, deep)
}

// told is the value that the schema itself gives.
func told(s *base.Schema) (any, bool) {
	return firstOf(s, slices.Concat(said(s), s.Enum))
}

// said are the values that the schema gives by themselves.
func said(s *base.Schema) []*yaml.Node {
	return slices.Concat([]*yaml.Node{s.Example}, s.Examples, []*yaml.Node{s.Const, s.Default})
}

// firstOf is the first of a schema's values. YAML takes 0815 and 1e5 for numbers where the
// schema has a text.
func firstOf(s *base.Schema, nodes []*yaml.Node) (any, bool) {
	for _, n := range nodes {
		if n == nil {
			continue
		}
		v := nodeValue(n, 0)
		if number, ok := v.(json.Number); ok && slices.Contains(s.Type, "string") && !slices.Contains(s.Type, "number") && !slices.Contains(s.Type, "integer") {
			v = number.String()
		}
		if v != nil {
			return v, true
		}
	}
	return nil, false
}

// typed is a value of the schema's type.
func (s *sampler) typed(schema *base.Schema, deep int) (any, bool) {
	of := "" // in 3.1 there may be several: null is no sample
	for _, t := range schema.Type {
		if t != "null" {
			of = t
			break
		}
	}
	switch of {
	case "object":
		return map[string]any{}, true
	case "array":
		if schema.Items != nil && schema.Items.IsA() {
			if v, ok := s.of(schema.Items.A, deep+1); ok {
				if s.answer || schema.MinItems == nil {
					return []any{v}, true
				}
				return several(v, schema.Items.A.Schema(), *schema.MinItems, isTrue(schema.UniqueItems)), true
			}
		}
		return []any{}, true
	case "integer", "number":
		low := 1.0
		if schema.Minimum != nil && *schema.Minimum > low {
			low = *schema.Minimum
		}
		if schema.Maximum != nil && *schema.Maximum < low {
			low = *schema.Maximum
		}
		text := strconv.FormatFloat(low, 'f', -1, 64)
		if !isNumber.MatchString(text) {
			text = "1"
		}
		return json.Number(text), true
	case "boolean":
		return true, true
	case "string":
		return textOf(schema), true
	}
	return nil, false
}

func isTrue(b *bool) bool { return b != nil && *b }

// nodeValue is a YAML value as JSON holds it.
func nodeValue(n *yaml.Node, deep int) any {
	if deep > 12 {
		return nil
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) > 0 {
			return nodeValue(n.Content[0], deep+1)
		}
	case yaml.AliasNode:
		if n.Alias != nil {
			return nodeValue(n.Alias, deep+1)
		}
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content[:min(len(n.Content), 20)] {
			out = append(out, nodeValue(c, deep+1))
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content) && len(out) < widest; i += 2 {
			out[n.Content[i].Value] = nodeValue(n.Content[i+1], deep+1)
		}
		return out
	case yaml.ScalarNode:
		switch tag := n.ShortTag(); {
		case n.Style == 0 && isNumber.MatchString(n.Value):
			return json.Number(n.Value) // also one that is beyond 64 bits, a text to YAML
		case tag == "!!null":
			return nil
		case tag == "!!bool":
			return strings.EqualFold(n.Value, "true")
		}
		return n.Value
	}
	return nil
}

// generated turns the marks of textOf into placeholders; for an answer, which is
// never sent, it does not matter.
func generated(v any) any {
	switch v := v.(type) {
	case string:
		switch v {
		case "\x00today", "\x00now", "\x00uuid":
			return "{{" + v[1:] + "}}"
		}
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = generated(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, c := range v {
			out[strings.ReplaceAll(k, "\x00", "")] = generated(c)
		}
		return out
	}
	return v
}
