package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// template is text with {{names}}, compiled: no search and no allocation when it
// is filled in.
type template []piece

type piece struct {
	text []byte // literal, when make is nil and slot is -1
	slot int    // a variable's, -1 = none
	make generator
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

// parse compiles text. slotOf gives the slot of a variable's name.
func parse(text string, slotOf func(name string) int) (template, error) {
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
		name := strings.TrimSpace(text[open+2 : open+end])
		text = text[open+end+2:]
		g, err := generate(name)
		if err != nil {
			return nil, err
		}
		if g != nil {
			t = append(t, piece{slot: -1, make: g})
		} else {
			t = append(t, piece{slot: slotOf(name)})
		}
	}
	return t, nil
}

// fill appends the text with its variables. A variable without a value leaves
// nothing; tasks are only drawn when their first step's variables are known.
func (t template) fill(dst []byte, vars []variable, g *generatorState, esc escape) []byte {
	for i := range t {
		switch p := &t[i]; {
		case p.make != nil:
			dst = p.make(dst, g)
		case p.slot >= 0:
			dst = esc(dst, vars[p.slot].value)
		default:
			dst = append(dst, p.text...)
		}
	}
	return dst
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

// generate knows {{uuid}}, {{seq}}, {{now}}, {{now+24h}}, {{today}},
// {{int 1 10}} and {{pick a|b}}; nil means that name is a variable.
func generate(name string) (generator, error) {
	word, rest, _ := strings.Cut(name, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case name == "uuid":
		return uuid, nil
	case name == "seq":
		return func(dst []byte, g *generatorState) []byte { return strconv.AppendUint(dst, g.n, 10) }, nil
	case name == "today":
		return func(dst []byte, g *generatorState) []byte { return g.now().UTC().AppendFormat(dst, time.DateOnly) }, nil
	case word == "int":
		lo, hi, ok := strings.Cut(rest, " ")
		a, errA := strconv.ParseInt(lo, 10, 64)
		b, errB := strconv.ParseInt(strings.TrimSpace(hi), 10, 64)
		if !ok || errA != nil || errB != nil || a > b {
			return nil, fmt.Errorf("{{%s}}: want {{int LOW HIGH}}", name)
		}
		return func(dst []byte, g *generatorState) []byte { return strconv.AppendInt(dst, a+g.rng.Int64N(b-a+1), 10) }, nil
	case word == "pick" && rest != "":
		words := bytes.Split([]byte(rest), []byte("|"))
		return func(dst []byte, g *generatorState) []byte { return append(dst, words[g.rng.IntN(len(words))]...) }, nil
	case strings.HasPrefix(name, "now"):
		var off time.Duration
		if shift := strings.ReplaceAll(name[len("now"):], " ", ""); shift != "" {
			var err error
			if off, err = time.ParseDuration(shift); err != nil {
				return nil, nil // a variable that begins with "now"
			}
		}
		return func(dst []byte, g *generatorState) []byte {
			return g.now().Add(off).UTC().AppendFormat(dst, time.RFC3339)
		}, nil
	}
	return nil, nil
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
