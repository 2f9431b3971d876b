package load

import (
	"fmt"
	"regexp"
	"strings"

	"vitals/internal/wire"
)

// capture takes one value out of an answer into a variable.
type capture struct {
	slot   int
	header string         // a header's name, or
	json   path           // a way into the body, or
	re     *regexp.Regexp // the first group (or the match) in the body
}

// compileCapture reads "json:items.0.id", "header:Location" or "regexp:…".
func compileCapture(slot int, from string) (capture, error) {
	kind, what, _ := strings.Cut(from, ":")
	if what == "" {
		return capture{}, fmt.Errorf("save %q: want json:PATH, header:NAME or regexp:EXPRESSION", from)
	}
	switch kind {
	case "json":
		return capture{slot: slot, json: parsePath(what)}, nil
	case "header":
		return capture{slot: slot, header: what}, nil
	case "regexp":
		re, err := regexp.Compile(what)
		if err != nil {
			return capture{}, fmt.Errorf("save %q: %w", from, err)
		}
		return capture{slot: slot, re: re}, nil
	}
	return capture{}, fmt.Errorf("save %q: want json:PATH, header:NAME or regexp:EXPRESSION", from)
}

// take puts the value into its variable, and is false when it is not there. An
// absent value forgets the old one: it belonged to another answer.
func (k *capture) take(c *wire.Call, vars []variable) bool {
	v := &vars[k.slot]
	v.known = false
	switch {
	case k.header != "":
		value, ok := c.Header(k.header)
		if !ok {
			return false
		}
		v.set(value)
	case k.json != nil:
		raw, ok := k.json.find(c.Answer)
		if !ok || string(raw) == "null" {
			return false
		}
		v.value, v.known = text(v.value[:0], raw), true
	default:
		m := k.re.FindSubmatch(c.Answer)
		if m == nil {
			return false
		}
		v.set(m[min(1, len(m)-1)])
	}
	return true
}

// variable is a value that requests are filled in with.
type variable struct {
	value []byte
	known bool
}

func (v *variable) set(value []byte) { v.value, v.known = append(v.value[:0], value...), true }
