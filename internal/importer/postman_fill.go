package importer

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	leading   = regexp.MustCompile(`^\{\{([^{}]+)\}\}`)
	variables = regexp.MustCompile(`\{\{([^{}]*)\}\}`)
)

// generatorsOf are Postman's own variables that have a like here.
var generatorsOf = map[string]string{"$guid": "uuid", "$randomuuid": "uuid", "$isotimestamp": "now", "$randomint": "int 0 1000"}

const (
	unixTime = "1767225600" // of 2026 in UTC
	fixed    = "the variable $timestamp: no placeholder makes a Unix time, so that a fixed one is sent; where it need only differ, write {{seq}}"
)

// fill puts the collection's values where its variables stand. A secret, and what has
// no value, becomes a mark that a person must replace.
func (r *postmanReader) fill(text string, x *exchange) string {
	for range 5 { // a value may hold variables itself
		again := false
		text = variables.ReplaceAllStringFunc(text, func(m string) string {
			value := r.value(m[2:len(m)-2], x)
			again = again || strings.Contains(value, "{{")
			return value
		})
		if !again {
			break
		}
	}
	return text
}

// value is what stands for a variable.
func (r *postmanReader) value(name string, x *exchange) string {
	value := r.vars[name]
	generator, ok := generatorsOf[strings.ToLower(name)]
	switch {
	case ok:
		return mark(generator)
	case strings.EqualFold(name, "$timestamp"):
		x.decideOnce(fixed)
		return unixTime
	case secretName(name) || r.secret[name]:
		return gone
	case value == "":
		r.unknown[name] = true
		x.decideOnce("the variable " + name)
		return strings.ToUpper(strings.Join(lower(name), "-"))
	}
	return value
}

// decideOnce marks a request, once for each reason.
func (x *exchange) decideOnce(why string) {
	if !slices.Contains(x.decide, why) {
		x.decide = append(x.decide, why)
	}
}

// raw is fill for a body. In JSON a variable may stand without quotes: what is no value of
// JSON by itself, as a generator or the mark of what has no value, is made a text.
func (r *postmanReader) raw(text string, x *exchange) string {
	if start := strings.TrimSpace(text); start == "" || start[0] != '{' && start[0] != '[' {
		return r.fill(text, x)
	}
	within := false
	return outside(variables, text, func(between string) string {
		within = quoted(between, within)
		return between
	}, func(m string) string {
		value := r.fill(m, x)
		name := m[2 : len(m)-2]
		switch {
		case within || json.Valid([]byte(value)):
			return value
		case marked.FindString(value) == value:
			return strconv.Quote(unquoted + value)
		case value == gone || r.vars[name] == "":
			return strconv.Quote(value)
		}
		return value
	})
}

// quoted tells whether a text of JSON that goes on behind a part of it stands in quotes there.
func quoted(part string, within bool) bool {
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '\\':
			i++
		case '"':
			within = !within
		}
	}
	return within
}
