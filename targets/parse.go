package targets

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vitals/internal/measure"
	"vitals/internal/strict"
)

// ops are the comparisons; longer ones first, so that "<=" is not read as "<".
var ops = []string{"<=", ">=", "==", "!=", "<", ">"}

// slips are other ways to write a comparison, again longer ones first.
var slips = [][2]string{{"=<", "<="}, {"=>", ">="}, {"<>", "!="}, {"≤", "<="}, {"≥", ">="}, {"≠", "!="}, {"=", "=="}}

// Parse reads one sentence:
//
//	METRIC [ "(" STEP ")" ] OP LIMIT [ "during" PHASE ] [ "for" TIME ]
//
// as in "p95(create medication) < 250ms".
// The error is a *strict.Error whose Col counts characters from 1.
func Parse(text string) (Target, error) {
	p := &parser{text: text, rest: text}
	t, err := p.sentence()
	if err != nil {
		return Target{}, err
	}
	return t, nil
}

type parser struct{ text, rest string }

func (p *parser) space() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// fail points at what is to be read next.
func (p *parser) fail(hint, format string, args ...any) *strict.Error {
	before := p.text[:len(p.text)-len(p.rest)]
	return &strict.Error{Line: 1, Col: utf8.RuneCountInString(before) + 1, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// word is what comes next, up to a space or one of the stops; it is not taken.
func (p *parser) word(stops string) string {
	p.space()
	end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(stops, r) })
	if end < 0 {
		end = len(p.rest)
	}
	return p.rest[:end]
}

func (p *parser) take(s string) string {
	p.rest = p.rest[len(s):]
	return s
}

// sentence is the target, and its mistake. One whose limit alone is wrong has the step and
// the phase that it names.
func (p *parser) sentence() (t Target, err error) {
	t = Target{Text: strings.Join(strings.Fields(p.text), " ")}
	name := p.word("(<>=!≤≥≠")
	m, ok := metrics[name]
	switch {
	case name == "":
		return t, p.fail("as in p95 < 300ms", "found %s, expected a metric", found(p.rest))
	case !ok:
		hint, near := strict.Nearest(name, Metrics())
		if hint = fmt.Sprintf("did you mean %q?", hint); !near {
			hint = "known: " + strings.Join(Metrics(), ", ")
		}
		return t, p.fail(hint, "unknown metric %q", name)
	}
	t.Metric = p.take(name)
	if err := p.step(&t, m); err != nil {
		return t, err
	}
	if err := p.op(&t); err != nil {
		return t, err
	}
	limit := p.word("")
	v, hint, ok := m.unit.limit(limit)
	if !ok {
		defer func() { // what the rest names can be looked up all the same
			if p.take(limit); p.tail(&t, m) != nil {
				t.Step, t.During = "", ""
			}
		}()
		if words := strings.Fields(p.rest); len(words) > 1 {
			if _, _, joined := m.unit.limit(words[0] + words[1]); joined {
				hint = "without the space: " + words[0] + words[1]
			}
		}
		return t, p.fail(hint, "%s: found %s, expected %s", t.Metric, found(limit), m.unit.example())
	}
	if m.measured() && time.Duration(v) > measure.Longest {
		return t, p.fail("", "%s: found %q, expected at most %s: no longer time is measured", t.Metric, limit, measure.Longest)
	}
	t.Limit = v
	if how := t.certain(m.unit); how != "" {
		return t, p.fail("it would judge nothing", "%s %s %s is true of %s result", t.Metric, t.Op, limit, how)
	}
	p.take(limit)
	return t, p.tail(&t, m)
}

func (p *parser) step(t *Target, m metric) error {
	p.space()
	if !strings.HasPrefix(p.rest, "(") {
		return nil
	}
	if !m.step {
		return p.fail("leave the parentheses out", "%s is of the whole run, it takes no step", t.Metric)
	}
	name, after, closed := strings.Cut(p.rest[1:], ")")
	if !closed {
		return p.fail("", "the parenthesis is not closed")
	}
	t.Step = strings.Join(strings.Fields(name), " ")
	if t.Step == "" {
		return p.fail("leave the parentheses out to mean every step", "found no step's name between the parentheses")
	}
	p.rest = after
	return nil
}

func (p *parser) op(t *Target) error {
	p.space()
	for _, slip := range slips {
		if strings.HasPrefix(p.rest, slip[0]) && !strings.HasPrefix(p.rest, "==") {
			return p.fail("write "+slip[1], "found %q, expected a comparison", slip[0])
		}
	}
	for _, op := range ops {
		if strings.HasPrefix(p.rest, op) {
			t.Op = p.take(op)
			return nil
		}
	}
	return p.fail("one of "+strings.Join(ops, " "), "found %s, expected a comparison", found(p.rest))
}

// tail reads "during PHASE" and "for TIME".
func (p *parser) tail(t *Target, m metric) error {
	for p.space(); p.rest != ""; p.space() {
		switch key := p.word(""); {
		case key == "during" && t.During == "" && t.For == 0:
			if !m.phase {
				return p.fail("", "%s is of the whole run, it takes no phase", t.Metric)
			}
			p.take(key)
			if t.During = p.phase(); t.During == "" {
				return p.fail("as in errors < 1% during spike", "found no phase after \"during\"")
			}
		case key == "for" && t.For == 0:
			p.take(key)
			s := p.word("")
			d, err := time.ParseDuration(s)
			if err != nil || d <= 0 {
				return p.fail("as in p95 > 1s for 10s", "found %s, expected a time after \"for\"", found(s))
			}
			p.take(s)
			t.For = d
		default:
			return p.fail(strict.Hint(key, []string{"during", "for"}), "found %q, expected the sentence's end", key)
		}
	}
	return nil
}

// phase takes the words up to "for" or the end.
func (p *parser) phase() string {
	var words []string
	for w := p.word(""); w != "" && w != "for"; w = p.word("") {
		words = append(words, p.take(w))
	}
	return strings.Join(words, " ")
}

func found(s string) string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return "the end"
	}
	return fmt.Sprintf("%q", words[0])
}
