package importer

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v2 "github.com/pb33f/libopenapi/datamodel/high/v2"
)

// swagger reads Swagger 2.0.
func (s *spec) swagger(doc libopenapi.Document) error {
	built, err := doc.BuildV2Model()
	if built == nil {
		return errors.Join(errors.New("it is not valid Swagger 2"), err)
	}
	m := &built.Model
	if err != nil {
		s.d.say("the specification has mistakes, what they concern may be missing: %s", firstLine(err))
	}
	if m.Info != nil {
		s.d.name = m.Info.Title
	}
	address := m.BasePath
	if m.Host != "" {
		scheme := "https"
		if len(m.Schemes) > 0 && !slices.Contains(m.Schemes, "https") {
			scheme = "http"
		}
		address = scheme + "://" + m.Host + "/" + strings.TrimLeft(m.BasePath, "/")
	}
	s.server(address)
	if m.SecurityDefinitions != nil {
		for name, scheme := range m.SecurityDefinitions.Definitions.FromOldest() {
			if scheme != nil {
				s.scheme(name, scheme.Type, "", scheme.In, scheme.Name)
			}
		}
	}
	if m.Paths == nil {
		return nil
	}
	for path, item := range m.Paths.PathItems.FromOldest() {
		if item == nil {
			continue
		}
		for _, op := range []struct {
			method string
			op     *v2.Operation
		}{{"GET", item.Get}, {"POST", item.Post}, {"PUT", item.Put}, {"PATCH", item.Patch}, {"DELETE", item.Delete}, {"HEAD", item.Head}} {
			if op.op != nil {
				s.calls = append(s.calls, s.operation2(path, op.method, op.op, append(item.Parameters[:len(item.Parameters):len(item.Parameters)], op.op.Parameters...), m))
			}
		}
	}
	return nil
}

func (s *spec) operation2(path, method string, op *v2.Operation, params []*v2.Parameter, m *v2.Swagger) *call {
	c := &call{method: method, path: literalPath(path), id: op.OperationId, title: op.Summary, old: op.Deprecated, params: map[string]any{}}
	types := op.Consumes
	if len(types) == 0 {
		types = m.Consumes
	}
	form, beside := map[string]any{}, []string{}
	for _, p := range params {
		if p != nil && p.In == "formData" {
			beside = append(beside, plain(p.Name))
		}
	}
	for _, p := range params {
		if p == nil {
			continue
		}
		switch v, told := parameter2(p); {
		case p.In == "body":
			c.body = literals(sample(p.Schema, false), 12)
		case p.In == "formData" && p.Type == "file":
			c.other = "a file"
		case p.In == "formData":
			if isTrue(p.Required) || passwordKey.MatchString(plain(p.Name)) || accountKey.MatchString(plain(p.Name)) {
				v = literals(granted(beside, p.Name, v, schema2(p)), 4)
				if list, ok := v.([]any); ok && p.CollectionFormat != "multi" {
					v = joined(list, written2(p).between())
				}
				form[literal(p.Name)] = v
			}
		case p.In == "path" || isTrue(p.Required):
			w := written2(p)
			w.value, w.told = literals(v, 4), told
			c.needed(w)
		}
	}
	if len(form) > 0 {
		c.body, c.form = form, true
		if _, _, other := chosen(types); other != "" && !slices.Contains(types, formType) {
			c.other = other
		}
	} else if c.body != nil && len(types) > 0 {
		if json, _, other := chosen(types); json == "" {
			c.other = other
		}
	}
	if op.Responses != nil && op.Responses.Codes != nil {
		codes := []string{}
		for code := range op.Responses.Codes.FromOldest() {
			codes = append(codes, code)
		}
		c.ok, c.refuse, c.told = success(codes), refusals(codes), map[int]string{}
		for code, r := range op.Responses.Codes.FromOldest() {
			if status, err := strconv.Atoi(code); err == nil && r != nil {
				c.told[status] = r.Description
			}
			switch {
			case r == nil:
			case code == itoa(c.ok):
				c.answer = answer2(r)
			case limits(code, r.Description):
				headers := map[string]any{}
				for name, h := range r.Headers.FromOldest() {
					if headers[name] = ""; h != nil {
						headers[name] = h.Description
					}
				}
				s.limits = append(s.limits, told429{c: c, status: code, description: r.Description, operation: op.Description, headers: headers, says: s.says("paths", path, strings.ToLower(method), "responses", code)})
			}
		}
	}
	c.says = s.says("paths", path, strings.ToLower(method))
	s.limits = append(s.limits, told429{c: c, operation: op.Description, says: c.says})
	s.security(c, op.Security, m.Security)
	c.others = c.reserved(op.Description, slices.Concat(op.Tags, asked3(op.Security)))
	return c
}

func answer2(r *v2.Response) any {
	var told any
	if r.Examples != nil {
		for name, n := range r.Examples.Values.FromOldest() {
			if json, _, _ := chosen([]string{name}); json != "" && n != nil {
				told = nodeValue(n, 0)
			}
		}
	}
	if made := sample(r.Schema, true); made != nil {
		return overlaid(made, told)
	}
	return literals(told, 12)
}

// parameter2 is a sample of a parameter; true when the specification gives it.
func parameter2(p *v2.Parameter) (any, bool) {
	s := schema2(p)
	if v, ok := told(s); ok {
		return v, true
	}
	if p.Type != "array" {
		v, _ := (&sampler{left: 1}).typed(s, 0)
		return v, false
	}
	items := &base.Schema{Type: []string{"string"}}
	if i := p.Items; i != nil && i.Type != "array" {
		items = &base.Schema{Type: []string{i.Type}, Format: i.Format, Pattern: i.Pattern, Default: i.Default, Enum: i.Enum}
	}
	n := int64(0)
	if p.MinItems != nil {
		n = int64(*p.MinItems)
	}
	v, given := told(items)
	if !given {
		v, _ = (&sampler{left: 1}).typed(items, 0)
	}
	return several(v, items, n, isTrue(p.UniqueItems)), given
}

// schema2 is what a parameter that is none of the body's says of its values.
func schema2(p *v2.Parameter) *base.Schema {
	return &base.Schema{Type: []string{p.Type}, Format: p.Format, Pattern: p.Pattern, Default: p.Default, Enum: p.Enum}
}

// literalPath is a path whose braces are single: {name} marks a parameter.
func literalPath(path string) string {
	for strings.Contains(path, "{{") || strings.Contains(path, "}}") {
		path = strings.ReplaceAll(strings.ReplaceAll(path, "{{", "{"), "}}", "}")
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

func itoa(n int) string { return strconv.Itoa(n) }
