package importer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"
)

// parameter3 is a parameter of OpenAPI 3 with its value.
func parameter3(p *v3.Parameter) parameter {
	out := written3(p)
	out.value, out.told = example3(p.Example, p.Examples)
	if out.value == nil && p.Schema != nil {
		if out.value = sample(p.Schema, false); out.value != nil {
			out.told = tells(p.Schema.Schema())
		}
	}
	for kind, media := range p.Content.FromOldest() { // a parameter has a schema, or one of these
		if p.Schema != nil || media == nil {
			break
		}
		if out.value == nil {
			out.value, out.told = example3(media.Example, media.Examples)
		}
		if out.value == nil && media.Schema != nil {
			out.value, out.told = sample(media.Schema, false), tells(media.Schema.Schema())
		}
		if name, _, _ := chosen([]string{kind}); name != "" && out.value != nil {
			out.value = inJSON(literals(out.value, 4))
			return out
		}
		break
	}
	out.value = literals(out.value, 4)
	return out
}

// inJSON is a value as the text of a JSON document.
func inJSON(v any) string {
	text, err := json.Marshal(generated(v))
	if err != nil {
		return "null" // no value that came from a document
	}
	return outside(filledIn, string(text), parted, strings.Clone)
}

// tells tells whether a schema gives its value: by itself, or as a list by its items.
func tells(s *base.Schema) bool {
	if s == nil {
		return false
	}
	if _, ok := told(s); ok {
		return true
	}
	if s.Items == nil || !s.Items.IsA() {
		return false
	}
	_, ok := told3(s.Items.A)
	return ok
}

// mostItems is how many items of a list are made at most.
const mostItems = 20

// several is a list of n items, 1 at least, of which v is the first. Where they must differ, or
// the schema has more values, they are its other values, or numbers and texts after the first.
func several(v any, items *base.Schema, n int64, differ bool) []any {
	out := []any{v}
	for i := 1; i < int(min(n, mostItems)); i++ {
		next := v
		number, isNumber := v.(json.Number)
		text, isText := v.(string)
		switch {
		case items != nil && len(items.Enum) > i:
			next = nodeValue(items.Enum[i], 0)
		case !differ:
		case isNumber:
			if whole, err := strconv.Atoi(number.String()); err == nil {
				next = json.Number(strconv.Itoa(whole + i))
			}
		case isText && inventedText.MatchString(text):
			next = fmt.Sprintf("%s %d", text, i+1)
		}
		out = append(out, next)
	}
	return out
}

// joined are the texts and numbers of a list as one text.
func joined(list []any, between string) string {
	var parts []string
	for _, one := range list {
		if isScalar(one) {
			parts = append(parts, fmt.Sprint(generated(one)))
		}
	}
	return strings.Join(parts, between)
}

// written is a form's body as the document has it written: lists are repeated fields unless it
// says otherwise, and objects are JSON (OpenAPI 3.1, 4.8.15).
func (c *call) written(body any, encoding *orderedmap.Map[string, *v3.Encoding]) any {
	m, ok := body.(map[string]any)
	if !ok {
		return body
	}
	for _, name := range keys(m) {
		e, _ := encoding.Get(name)
		if e == nil {
			e = &v3.Encoding{}
		}
		p := parameter{style: e.Style, explode: e.Style == "" || e.Style == "form"}
		if e.Explode != nil {
			p.explode = *e.Explode
		}
		asJSON, _, _ := chosen([]string{e.ContentType})
		switch v := m[name].(type) {
		case map[string]any:
			m[name] = inJSON(v)
		case []any:
			if len(v) == 0 {
				delete(m, name)
				c.decide = append(c.decide, "the field "+name+" is left out: the document does not say what is in the list")
				continue
			}
			for i, one := range v {
				if !isScalar(one) {
					v[i] = inJSON(one)
				}
			}
			switch {
			case asJSON != "" && e.ContentType != "":
				m[name] = inJSON(v)
			case !p.explode:
				m[name] = joined(v, p.between())
			}
		}
	}
	return m
}

// saidOnce is a form for the profile, whose forms say each name once.
func saidOnce(body any) (out any, decide []string) {
	m, ok := body.(map[string]any)
	if !ok {
		return body, nil
	}
	one := map[string]any{}
	for _, k := range keys(m) {
		one[k] = m[k]
		if list, ok := m[k].([]any); ok {
			if delete(one, k); len(list) > 0 {
				one[k] = list[0]
			}
			if len(list) != 1 {
				decide = append(decide, "the field "+k+": a form of the profile says each name once, so that the first value alone is sent")
			}
		}
	}
	return one, decide
}

// again adds a value to the fields of a form, of which one may have several.
func again(fields map[string]any, name, value string) {
	switch had := fields[name].(type) {
	case nil:
		fields[name] = value
	case []any:
		fields[name] = append(had, value)
	default:
		fields[name] = []any{had, value}
	}
}
