package strict

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"
)

// Fields says what may stand in a mapping, and who reads each value.
type Fields map[string]func(*yaml.Node)

// Fields reads a mapping: an unknown, a doubled or an unquoted {{…}} key is a
// mistake. One that is nearly a field's name is read as that field, so that what is
// wrong in its value is told as well, and what it says is not missed.
// `what` names the mapping in messages ("a step"). It gives the keys that were
// found, for messages about a field as a whole.
func (d *Doc) Fields(n *yaml.Node, what string, fields Fields) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	d.Pairs(n, what, func(key, value *yaml.Node) {
		name := key.Value
		if fields[name] == nil {
			d.Fail(key, Hint(name, names), "unknown field %q in %s", name, what)
			near, ok := Nearest(name, names)
			if ok && found[near] != nil || has(n, near) {
				d.lost = append(d.lost, value) // what was meant is there, and is no other
				return
			}
			if !ok {
				if d.odd == nil {
					d.odd = map[*yaml.Node]bool{}
				}
				d.odd[n] = true
				d.lost = append(d.lost, value)
				return
			}
			name = near
		}
		found[name] = key
		fields[name](value)
	})
	return found
}

// has tells whether a mapping has a key.
func has(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && name != "" {
			return true
		}
	}
	return false
}

// Odd tells whether a mapping has a field that is not even nearly known: it may be the
// one that it seems to lack.
func (d *Doc) Odd(n *yaml.Node) bool { return d.odd[n] }

// Pairs walks a mapping whose keys are free; a doubled key is a mistake.
func (d *Doc) Pairs(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.Fail(n, "", "%s: found %s, expected fields", what, describe(n))
		d.lost = append(d.lost, n)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.Fail(key, placeholderHint(n), "%s: found %s, expected a field's name", what, describe(key))
			d.lost = append(d.lost, key, value)
			continue
		}
		if key.ShortTag() == "!!merge" { // << in quotes is a name as any other
			d.Fail(key, "write out the fields that it stands for", "%s: merge key << is not used here", what)
			d.lost = append(d.lost, value)
			continue
		}
		if line, twice := seen[key.Value]; twice {
			d.Fail(key, fmt.Sprintf("first on line %d", line), "field %q stands twice in %s", key.Value, what)
			d.lost = append(d.lost, value)
			continue
		}
		seen[key.Value] = key.Line
		each(key, value)
	}
}

// List walks a list.
func (d *Doc) List(n *yaml.Node, what string, each func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.Fail(n, "begin each entry with a dash", "%s: found %s, expected a list", what, describe(n))
		d.lost = append(d.lost, n)
		return
	}
	if len(n.Content) == 0 {
		d.Fail(n, "", "%s: found an empty list, expected at least one entry", what)
	}
	for _, c := range n.Content {
		each(c)
	}
}

// Text reads any scalar but null as the text that was written.
func (d *Doc) Text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.Fail(n, placeholderHint(n), "%s: found %s, expected text", what, describe(n))
		return ""
	}
	return n.Value
}

// Word reads a text that is not empty.
func (d *Doc) Word(n *yaml.Node, what string) string {
	s := d.Text(n, what)
	if s == "" && n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		d.Fail(n, "", "%s: found an empty text", what)
	}
	return s
}

// Bool reads true or false, and nothing that YAML 1.1 took for them.
func (d *Doc) Bool(n *yaml.Node, what string) bool {
	switch s := d.scalar(n); s {
	case "true", "false":
		return s == "true"
	}
	d.Fail(n, "", "%s: found %s, expected true or false", what, describe(n))
	return false
}

// Int reads a whole number of at least low.
func (d *Doc) Int(n *yaml.Node, what string, low int) int {
	v, err := strconv.Atoi(strings.ReplaceAll(d.scalar(n), "_", ""))
	if errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(n.Value, "-") {
		d.Fail(n, "", "%s: found %s, which is more than can be counted", what, describe(n))
		return low
	}
	if err != nil || v < low {
		d.Fail(n, "", "%s: found %s, expected a whole number of at least %d", what, describe(n), low)
		return low
	}
	return v
}

// units are how people write them out.
var units = map[string]string{
	"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
	"h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d", "ms": "ms", "millisecond": "ms", "milliseconds": "ms",
}

// part is one number of a time, with its unit.
var part = regexp.MustCompile(`^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*`)

// spelled is a time in other words ("1h 30 min", "2 days") as it is to be written; ""
// when it is none.
func spelled(s string) (written string) {
	for s != "" {
		m := part.FindStringSubmatch(s)
		if m == nil {
			return ""
		}
		number, unit := m[1], units[strings.ToLower(m[2])]
		if n, err := strconv.Atoi(number); err == nil && unit == "d" && n < 10_000 {
			number, unit = strconv.Itoa(24*n), "h"
		}
		if unit == "" || unit == "d" {
			return ""
		}
		written, s = written+number+unit, s[len(m[0]):]
	}
	return written
}

// Duration reads "90s", "2m30s", "1.5h". Zero is allowed, a bare number other
// than 0 is not: 5 of what?
func (d *Doc) Duration(n *yaml.Node, what string) time.Duration {
	v, err := time.ParseDuration(d.scalar(n))
	if err != nil || v < 0 {
		hint := ""
		if written := spelled(d.scalar(n)); written != "" && err != nil {
			hint = "write " + written
		}
		if number, bare := strconv.ParseFloat(d.scalar(n), 64); bare == nil && err != nil {
			hint = fmt.Sprintf("write the unit: %ss", d.scalar(n))
			if number > 60 {
				hint += fmt.Sprintf(" or %sms", d.scalar(n))
			}
		}
		d.Fail(n, hint, "%s: found %s, expected a time such as 90s or 5m", what, describe(n))
		return 0
	}
	return v
}

// Rate reads "25/s", "300/m" or "1000/h", as a number per second of at least 0.
func (d *Doc) Rate(n *yaml.Node, what string) float64 {
	s := d.scalar(n)
	number, unit, ok := strings.Cut(s, "/")
	per, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || !known || err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		hint := ""
		if err == nil && !ok {
			hint = fmt.Sprintf("write the unit: %s/s", s)
		}
		d.Fail(n, hint, "%s: found %s, expected a rate such as 25/s", what, describe(n))
		return 0
	}
	return v / per
}

// scalar is the value as written, "" for anything that is no scalar.
func (d *Doc) scalar(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// describe says what a node is, in the author's words.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "fields"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	case len(n.Value) > 60:
		return strconv.Quote(strings.ToValidUTF8(n.Value[:60], "") + "…")
	}
	return strconv.Quote(n.Value)
}

// placeholderHint recognises {{name}} without quotes, which YAML takes for a
// mapping within a mapping.
func placeholderHint(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode {
		return `a text with {{…}} must be quoted: "{{…}}"`
	}
	return ""
}
