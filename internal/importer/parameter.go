package importer

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	v2 "github.com/pb33f/libopenapi/datamodel/high/v2"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// parameter is one that a request must have, and how the document has it written (OpenAPI 3.1, 4.8.12).
type parameter struct {
	in, name string
	style    string // form, simple, label, matrix, spaceDelimited, pipeDelimited, deepObject, tabDelimited of Swagger 2
	explode  bool
	value    any
	told     bool // by the document
}

// asWritten is a part of a path that is encoded already.
type asWritten string

// written3 says how a parameter of OpenAPI 3 is written.
func written3(p *v3.Parameter) parameter {
	out := parameter{in: p.In, name: p.Name, style: p.Style}
	if out.style == "" {
		out.style = "simple"
		if p.In == "query" || p.In == "cookie" {
			out.style = "form"
		}
	}
	if out.explode = out.style == "form"; p.Explode != nil {
		out.explode = *p.Explode
	}
	return out
}

// written2 says how a parameter of Swagger 2 is written.
func written2(p *v2.Parameter) parameter {
	out := parameter{in: p.In, name: p.Name, style: "simple", explode: p.CollectionFormat == "multi"}
	if p.In == "query" {
		out.style = "form"
	}
	if other, ok := map[string]string{"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}[p.CollectionFormat]; ok {
		out.style = other
	}
	return out
}

var separators = map[string]string{"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}

// between is what stands between two values of one list.
func (p parameter) between() string {
	if s, ok := separators[p.style]; ok {
		return s
	}
	return ","
}

// field is a name with a value, "" where there is no name.
type field struct{ name, value string }

// fields are the scalars of a list or an object; left are the names of those that are neither
// text nor number, which no style has a form for.
func (p parameter) fields() (out []field, left []string) {
	switch v := p.value.(type) {
	case []any:
		for i, one := range v {
			if isScalar(one) {
				out = append(out, field{"", fmt.Sprint(one)})
			} else {
				left = append(left, fmt.Sprintf("%s.%d", p.name, i))
			}
		}
	case map[string]any:
		for _, k := range keys(v) {
			if isScalar(v[k]) {
				out = append(out, field{k, fmt.Sprint(v[k])})
			} else {
				left = append(left, p.name+"."+k)
			}
		}
	}
	return out, left
}

// query is the parameter as a query has it.
func (p parameter) query(all []field) string {
	_, object := p.value.(map[string]any)
	var parts []string
	for _, f := range all {
		value := encodedQuery(f.value)
		switch {
		case object && p.style == "deepObject":
			parts = append(parts, encodedName(p.name+"["+f.name+"]")+"="+value)
		case object && p.explode:
			parts = append(parts, encodedName(f.name)+"="+value)
		case object:
			parts = append(parts, encodedName(f.name), value)
		case p.explode:
			parts = append(parts, encodedName(p.name)+"="+value)
		default:
			parts = append(parts, value)
		}
	}
	if p.explode || object && p.style == "deepObject" {
		return strings.Join(parts, "&")
	}
	between := p.between()
	if between != "," {
		between = encodedName(between)
	}
	return encodedName(p.name) + "=" + strings.Join(parts, between)
}

// joined are the values as a header or a segment of a path has them; change fits each into its
// place.
func (p parameter) joined(all []field, change func(string) string) string {
	before, between := "", p.between()
	switch {
	case p.style == "label" && p.explode:
		before, between = ".", "."
	case p.style == "label":
		before = "."
	case p.style == "matrix" && p.explode:
		before, between = ";", ";"
	case p.style == "matrix":
		before = ";" + change(p.name) + "="
	case between != ",":
		between = change(between)
	}
	var parts []string
	for _, f := range all {
		value := change(f.value)
		switch {
		case f.name != "" && p.explode:
			parts = append(parts, change(f.name)+"="+value)
		case f.name != "":
			parts = append(parts, change(f.name), value)
		case p.style == "matrix" && p.explode:
			parts = append(parts, change(p.name)+"="+value)
		default:
			parts = append(parts, value)
		}
	}
	return before + strings.Join(parts, between)
}

// needed adds a parameter that must be sent.
func (c *call) needed(p parameter) {
	if p.name == "" {
		return
	}
	p.value = generated(p.value)
	all, left := p.fields()
	switch _, list := p.value.([]any); {
	case isScalar(p.value):
		all = []field{{"", fmt.Sprint(p.value)}}
	case len(all) > 0:
	case list && p.told && len(left) == 0:
		all = []field{{"", ""}} // the document has an empty list
	default:
		p.value, p.told, all, left = "1", false, []field{{"", "1"}}, nil
	}
	if len(left) > 0 {
		c.decide = append(c.decide, "the parameter "+p.name+": "+strings.Join(left, ", ")+" left out, for what is neither text nor number has no form there")
	}
	switch p.in {
	case "path":
		c.params[p.name] = p.value
		if !isScalar(p.value) || p.style == "label" || p.style == "matrix" {
			c.params[p.name] = asWritten(p.joined(all, func(text string) string {
				return outside(filledIn, text, func(text string) string { return url.PathEscape(asWhole.Replace(text)) }, strings.Clone)
			}))
		}
	case "query":
		if isScalar(p.value) {
			p.style, p.explode = "form", true
		}
		if c.query != "" {
			c.query += "&"
		}
		if c.query += p.query(all); !p.told {
			c.decide = append(c.decide, "the parameter "+p.name)
		}
	case "cookie":
		c.decide = append(c.decide, "the cookie "+p.name+", which must be sent, is left out")
	case "header":
		if !isHeader.MatchString(p.name) || slices.Contains([]string{"authorization", "accept", "content-type", "host", "content-length"}, strings.ToLower(p.name)) {
			return
		}
		value := p.joined(all, func(text string) string {
			return strings.Map(func(r rune) rune {
				if (r < ' ' || r > '~') && string(r) != splitBraces {
					return -1
				}
				return r
			}, text)
		})
		if name := plain(p.name); name == "idempotencykey" || name == "xrequestid" || name == "requestid" {
			value = "{{uuid}}"
		} else if !p.told {
			c.decide = append(c.decide, "the header "+p.name)
		}
		c.header = append(c.header, [2]string{p.name, value})
	}
}

// encodedQuery is a text as a query has it; placeholders stay.
func encodedQuery(text string) string {
	return outside(filledIn, text, encodedName, strings.Clone)
}

// encodedName is encodedQuery of what has no placeholders.
func encodedName(text string) string { return strings.ReplaceAll(escapedQuery(text), "+", "%20") }
