package load

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"vitals/scenarios"
)

// template is text with {{names}}, compiled: no search and no allocation when it
// is filled in.
type template []piece

type piece struct {
	text []byte // literal, when make is nil and slot is -1
	slot int    // a variable's, -1 = none
	make generator
	pick [][]byte // words to pick from
	raw  bool     // the value is a part of the request as it is
	bare bool     // the value stands in JSON without quotes around it
}

// generator appends a value that is made up for one request.
type generator func(dst []byte, g *generatorState) []byte

// generatorState is what generators draw from.
type generatorState struct {
	n   uint64     // number of the arrival or of the user's visit, unique in the run
	rng *rand.Rand // from (seed, n)
	now func() time.Time
}

// escape fits a value into its place in the request.
type escape func(dst, value []byte) []byte

// parse compiles text. slotOf gives the slot of a variable's name, envOf that of a
// value from the environment.
func parse(text string, slotOf, envOf func(name string) int) (template, error) {
	var t template
	for text != "" {
		open := strings.Index(text, "{{")
		if open < 0 {
			return append(t, piece{text: []byte(text), slot: -1}), nil
		}
		if open > 0 {
			t = append(t, piece{text: []byte(text[:open]), slot: -1})
		}
		end := strings.Index(text[open:], "}}")
		if end < 0 {
			return nil, fmt.Errorf("{{ without }} in %q", text)
		}
		p, err := scenarios.ReadPlaceholder(text[open+2 : open+end])
		if err != nil {
			return nil, err
		}
		text = text[open+end+2:]
		switch {
		case p.Word == "env":
			t = append(t, piece{slot: envOf(p.Name)})
		case p.Word != "":
			made := piece{slot: -1, make: generate(p)}
			for _, word := range p.Words { // free text, which has to fit its place
				made.pick = append(made.pick, []byte(word))
			}
			t = append(t, made)
		default:
			t = append(t, piece{slot: slotOf(p.Name)})
		}
	}
	return t, nil
}

// place finds out where the values of a JSON body stand: within quotes they are
// text, without they are numbers and the like.
func (t template) place(body string, header map[string]string) {
	if body = strings.TrimSpace(body); body == "" || body[0] != '{' && body[0] != '[' || !sendsJSON(header) {
		return
	}
	quoted := false
	for i := range t {
		p := &t[i]
		p.bare = !quoted && (p.slot >= 0 || p.make != nil)
		for k := 0; k < len(p.text); k++ {
			switch p.text[k] {
			case '\\':
				k++ // neither it nor what follows ends a text
			case '"':
				quoted = !quoted
			}
		}
	}
}

// fill appends the text with its variables. A variable without a value leaves
// nothing; tasks are only drawn when their first step's variables are known.
func (t template) fill(dst []byte, vars []variable, g *generatorState, esc escape) []byte {
	for i := range t {
		switch p := &t[i]; {
		case p.bare:
			from := len(dst)
			if p.make != nil {
				dst = p.make(dst, g)
			} else {
				dst = append(dst, vars[p.slot].value...)
			}
			dst = bareJSON(dst, from)
		case len(p.pick) > 0:
			dst = esc(dst, p.pick[g.rng.IntN(len(p.pick))])
		case p.make != nil:
			dst = p.make(dst, g)
		case p.slot >= 0 && p.raw:
			dst = append(dst, vars[p.slot].value...)
		case p.slot >= 0:
			dst = esc(dst, vars[p.slot].value)
		default:
			dst = append(dst, p.text...)
		}
	}
	return dst
}

// bareJSON makes what stands from there on a JSON value: one that is none becomes
// a text.
func bareJSON(dst []byte, from int) []byte {
	if value := dst[from:]; !json.Valid(value) {
		text := string(value)
		dst = append(inJSON(append(dst[:from], '"'), []byte(text)), '"')
	}
	return dst
}

// constant is the text when it has no placeholder.
func (t template) constant() (string, bool) {
	switch {
	case len(t) == 0:
		return "", true
	case len(t) == 1 && t[0].slot < 0 && t[0].make == nil:
		return string(t[0].text), true
	}
	return "", false
}

// slots are the variables the text needs.
func (t template) slots() (s []int) {
	for _, p := range t {
		if p.slot >= 0 {
			s = append(s, p.slot)
		}
	}
	return s
}

// generate is what makes the placeholder's value; nil means that it is a variable.
func generate(p scenarios.Placeholder) generator {
	switch p.Word {
	case "uuid":
		return uuid
	case "seq":
		return func(dst []byte, g *generatorState) []byte { return strconv.AppendUint(dst, g.n, 10) }
	case "today":
		return func(dst []byte, g *generatorState) []byte { return g.now().UTC().AppendFormat(dst, time.DateOnly) }
	case "now":
		return func(dst []byte, g *generatorState) []byte {
			return g.now().Add(p.Shift).UTC().AppendFormat(dst, time.RFC3339)
		}
	case "int":
		return func(dst []byte, g *generatorState) []byte {
			return strconv.AppendInt(dst, between(g.rng, p.Low, p.High), 10)
		}
	case "pick":
		return func(dst []byte, g *generatorState) []byte { return append(dst, p.Words[g.rng.IntN(len(p.Words))]...) }
	}
	return nil
}

// between draws a whole number; the range may be as wide as the type.
func between(rng *rand.Rand, low, high int64) int64 {
	width := uint64(high) - uint64(low) + 1 // 0 when it is all there are
	if width == 0 {
		return int64(rng.Uint64())
	}
	return int64(uint64(low) + rng.Uint64N(width))
}

// uuid appends a random version 4 UUID. It does not come from the seed: a second
// run of the same plan must not repeat the ids of the first.
func uuid(dst []byte, _ *generatorState) []byte {
	const hex = "0123456789abcdef"
	hi, lo := rand.Uint64()&^0xf000|0x4000, rand.Uint64()&^(3<<62)|1<<63
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, hex[hi>>i&15])
		if i == 32 || i == 16 {
			dst = append(dst, '-')
		}
	}
	dst = append(dst, '-')
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, hex[lo>>i&15])
		if i == 48 {
			dst = append(dst, '-')
		}
	}
	return dst
}

// inPath percent-encodes everything that is not unreserved (RFC 3986, 2.3), so
// that a value can neither leave its segment nor its query parameter.
func inPath(dst, value []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range value {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// inJSON escapes for the inside of a JSON string; a number stays what it is.
func inJSON(dst, value []byte) []byte {
	const hex = "0123456789abcdef"
	for _, c := range value {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// inText changes nothing.
func inText(dst, value []byte) []byte { return append(dst, value...) }
