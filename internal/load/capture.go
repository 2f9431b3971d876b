package load

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"vitals/internal/wire"
)

// capture takes one value out of an answer into a variable.
type capture struct {
	slot   int
	header string         // a header's name
	cookie string         // a cookie's name
	json   path           // a way into the body
	re     *regexp.Regexp // the first group (or the match) in the header, or in the body
	follow *follower      // the address of a header, for the step that follows it
	from   string         // as the scenario writes it
}

const captureForms = "json:PATH, header:NAME, cookie:NAME or regexp:EXPRESSION"

// compileCapture reads "json:items.0.id", "header:Location", "header:Location
// regexp:/orders/(.*)", "cookie:sid" or "regexp:…".
func compileCapture(slot int, from string) (capture, error) {
	kind, what, _ := strings.Cut(from, ":")
	k := capture{slot: slot, from: from}
	if what == "" {
		return k, fmt.Errorf("save %q: want %s", from, captureForms)
	}
	expression := ""
	switch kind {
	case "json":
		k.json = parsePath(what)
	case "header":
		k.header, expression, _ = strings.Cut(what, " regexp:")
	case "cookie":
		k.cookie = what
	case "regexp":
		expression = what
	default:
		return k, fmt.Errorf("save %q: want %s", from, captureForms)
	}
	if expression != "" {
		var err error
		if k.re, err = regexp.Compile(expression); err != nil {
			return k, fmt.Errorf("save %q: %w", from, err)
		}
	}
	return k, nil
}

// reads reports whether the capture looks into the body.
func (k *capture) reads() bool { return k.header == "" && k.cookie == "" && k.follow == nil }

// take puts the value into its variable, and is false when it is not there. An
// absent value forgets the old one: it belonged to another answer.
func (k *capture) take(c *wire.Call, vars []variable, draw func(int) int) bool {
	v := &vars[k.slot]
	v.known = false
	switch {
	case k.follow != nil:
		to, err := k.follow.resolve(c)
		if err != nil {
			return false
		}
		v.set(to)
	case k.cookie != "":
		value, ok := setCookie(c, k.cookie)
		if !ok {
			return false
		}
		v.set([]byte(value))
	case k.header != "" && k.re != nil:
		for value := range headerValues(c.Head, k.header) {
			if m := k.re.FindSubmatch(value); m != nil {
				v.set(m[min(1, len(m)-1)])
				return true
			}
		}
		return false
	case k.header != "":
		value, ok := c.Header(k.header)
		if !ok {
			return false
		}
		v.set(value)
	case k.json != nil:
		raw, ok := k.json.find(c.Answer, draw)
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

// headerValues are those of all lines of that name.
func headerValues(head []byte, name string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			n, value, ok := bytes.Cut(line, []byte(": "))
			if ok && bytes.EqualFold(n, []byte(name)) && !yield(value) {
				return
			}
		}
	}
}

// setCookie is the value that the answer gives the named cookie; the last one
// counts (RFC 6265, 5.3).
func setCookie(c *wire.Call, name string) (value string, found bool) {
	for line := range headerValues(c.Head, "Set-Cookie") {
		if k, ok := readCookie(string(line)); ok && k.Name == name {
			value, found = k.Value, true
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
		}
	}
	return value, found
}

// variable is a value that requests are filled in with.
type variable struct {
	value []byte
	known bool
}

func (v *variable) set(value []byte) { v.value, v.known = append(v.value[:0], value...), true }
