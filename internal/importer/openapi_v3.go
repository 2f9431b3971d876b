package importer

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	yaml "github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"
)

// three reads OpenAPI 3.x.
func (s *spec) three(doc libopenapi.Document) error {
	built, err := doc.BuildV3Model()
	if built == nil {
		return errors.Join(errors.New("it is not valid OpenAPI 3"), err)
	}
	m := &built.Model
	if err != nil {
		s.d.say("the specification has mistakes, what they concern may be missing: %s", firstLine(err))
	}
	if m.Info != nil {
		s.d.name = m.Info.Title
	}
	if len(m.Servers) > 0 && m.Servers[0] != nil {
		address := m.Servers[0].URL
		for name, v := range m.Servers[0].Variables.FromOldest() {
			if v != nil {
				address = strings.ReplaceAll(address, "{"+name+"}", v.Default)
			}
		}
		s.server(address)
	}
	if m.Components != nil {
		for name, scheme := range m.Components.SecuritySchemes.FromOldest() {
			if scheme != nil {
				s.scheme(name, scheme.Type, scheme.Scheme, scheme.In, scheme.Name)
			}
		}
	}
	if m.Paths == nil {
		return nil
	}
	told := everyAnswer{headers: map[string]*toldHeader{}}
	for path, item := range m.Paths.PathItems.FromOldest() {
		if item == nil {
			continue
		}
		for _, op := range []struct {
			method string
			op     *v3.Operation
		}{{"GET", item.Get}, {"POST", item.Post}, {"PUT", item.Put}, {"PATCH", item.Patch}, {"DELETE", item.Delete}, {"HEAD", item.Head}} {
			if op.op == nil {
				continue
			}
			c := s.operation3(path, op.method, op.op, append(item.Parameters[:len(item.Parameters):len(item.Parameters)], op.op.Parameters...), m.Security)
			s.calls = append(s.calls, c)
			if op.op.Responses == nil {
				continue
			}
			for code, r := range op.op.Responses.Codes.FromOldest() {
				if r == nil {
					continue
				}
				says := s.says("paths", path, strings.ToLower(op.method), "responses", code)
				told.answer(headers3(r), says)
				if r.Content != nil && strings.HasPrefix(code, "4") && told.errors == "" {
					for name, media := range r.Content.FromOldest() {
						if strings.HasSuffix(name, "problem+json") {
							told.errors, told.errorsSay, told.fields = name, says, required3(media)
						}
					}
				}
			}
		}
	}
	s.promised(told)
	return nil
}

func (s *spec) scheme(name, of, scheme, in, key string) {
	switch strings.ToLower(of) {
	case "apikey":
		s.keys[name] = apiKey{in: in, name: key}
	case "http":
		if strings.EqualFold(scheme, "basic") {
			s.basic[name] = true
		}
	case "basic": // Swagger 2
		s.basic[name] = true
	}
}

func (s *spec) operation3(path, method string, op *v3.Operation, params []*v3.Parameter, everywhere []*base.SecurityRequirement) *call {
	c := &call{method: method, path: literalPath(path), id: op.OperationId, title: op.Summary, old: isTrue(op.Deprecated), params: map[string]any{}}
	for _, p := range params {
		if p == nil {
			continue
		}
		if p.In == "path" || isTrue(p.Required) {
			c.needed(parameter3(p))
		}
	}
	if op.RequestBody != nil && op.RequestBody.Content != nil {
		types := []string{}
		for name := range op.RequestBody.Content.FromOldest() {
			types = append(types, name)
		}
		json, form, other := chosen(types)
		pick := json
		if pick == "" {
			pick, c.form = form, form != ""
		}
		if media, ok := op.RequestBody.Content.Get(pick); ok && media != nil && pick != "" {
			if c.body, _ = example3(media.Example, media.Examples); c.body == nil {
				c.body = sample(media.Schema, false)
			}
			if c.body = literals(c.body, 12); c.form {
				c.body = c.written(c.body, media.Encoding)
			}
			if json != "" && json != "application/json" && strings.HasSuffix(json, "+json") {
				c.header = append(c.header, [2]string{"Content-Type", json})
			}
		} else if isTrue(op.RequestBody.Required) || pick == "" && other != "" {
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
			case c.answer == nil && (strings.HasPrefix(code, "2") && (c.ok == 0 || code == itoa(c.ok))):
				c.answer = answer3(r)
			case limits(code, r.Description):
				s.limits = append(s.limits, told429{c: c, status: code, description: r.Description, operation: op.Description, headers: headers3(r), says: s.says("paths", path, strings.ToLower(method), "responses", code)})
			}
		}
	}
	c.says = s.says("paths", path, strings.ToLower(method))
	s.limits = append(s.limits, told429{c: c, operation: op.Description, says: c.says})
	if op.Responses != nil && c.answer == nil && op.Responses.Default != nil && c.ok == 0 {
		c.answer = answer3(op.Responses.Default)
	}
	s.security(c, op.Security, everywhere)
	c.others = c.reserved(op.Description, slices.Concat(op.Tags, asked3(op.Security)))
	return c
}

// asked3 are the schemes and scopes that an operation asks for itself.
func asked3(ways []*base.SecurityRequirement) (names []string) {
	for _, way := range ways {
		if way == nil {
			continue
		}
		for name, scopes := range way.Requirements.FromOldest() {
			names = append(append(names, name), scopes...)
		}
	}
	return names
}

// security looks at the first way that an operation offers.
func (s *spec) security(c *call, own, everywhere []*base.SecurityRequirement) {
	ways := own
	if own == nil {
		ways = everywhere
	}
	for _, way := range ways {
		if way == nil || way.ContainsEmptyRequirement || way.Requirements == nil {
			return // it may be asked by anybody
		}
	}
	if len(ways) > 0 {
		var names []string
		for name := range ways[0].Requirements.FromOldest() {
			names = append(names, name)
		}
		s.secure(c, names)
	}
}

func answer3(r *v3.Response) any {
	if r.Content == nil {
		return nil
	}
	for name, media := range r.Content.FromOldest() {
		if json, _, _ := chosen([]string{name}); json == "" || media == nil {
			continue
		}
		v, _ := example3(media.Example, media.Examples)
		// The schema knows fields that an example leaves out.
		if made := sample(media.Schema, true); made != nil {
			return overlaid(made, v)
		}
		return literals(v, 12)
	}
	return nil
}

// overlaid is a sample with the fields of an example above it.
func overlaid(made, told any) any {
	a, ok := made.(map[string]any)
	b, is := told.(map[string]any)
	if !ok || !is {
		if told != nil {
			return literals(told, 12)
		}
		return made
	}
	for k, v := range b {
		a[k] = literals(v, 12)
	}
	return a
}

func headers3(r *v3.Response) map[string]any {
	out := map[string]any{}
	for name, h := range r.Headers.FromOldest() {
		if out[name] = ""; h == nil {
			continue
		}
		v, _ := example3(h.Example, h.Examples)
		if v == nil {
			v = sample(h.Schema, true)
		}
		if v != nil {
			out[name] = v
		}
	}
	return out
}

// required3 are the fields that every body of a kind has.
func required3(media *v3.MediaType) []string {
	if media == nil || media.Schema == nil {
		return nil
	}
	if schema := media.Schema.Schema(); schema != nil {
		return schema.Required
	}
	return nil
}

// example3 is the first example of several; true when there is one.
func example3(one *yaml.Node, many *orderedmap.Map[string, *base.Example]) (any, bool) {
	if one != nil {
		if v := nodeValue(one, 0); v != nil {
			return v, true
		}
	}
	for _, e := range many.FromOldest() {
		if e != nil && e.Value != nil {
			if v := nodeValue(e.Value, 0); v != nil {
				return v, true
			}
		}
	}
	return nil, false
}

func told3(p *base.SchemaProxy) (any, bool) {
	if schema := p.Schema(); schema != nil {
		return told(schema)
	}
	return nil, false
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return cutAt(line, 200)
}
