package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/strict"
)

// Placeholder is what stands between {{ and }}, read. Word says what makes the
// value: one of Generators, or "" for a variable of that Name (a field of the
// account, a fed column, a saved value).
type Placeholder struct {
	Word      string
	Name      string        // of the variable, or of the environment variable after env
	Low, High int64         // of int
	Words     []string      // of pick
	Shift     time.Duration // of now
}

// Generator is a word that makes a value anew for each request.
type Generator struct {
	Word    string
	Example string // as it is written in a scenario
	About   string
	read    func(p *Placeholder, rest string) bool
}

// Generators are all such words, in the order of their explanation.
func Generators() []Generator { return slices.Clone(generatorList) }

var generatorList = []Generator{
	{"uuid", "{{uuid}}", "a random UUID, version 4; another one in every run", alone},
	{"seq", "{{seq}}", "the number of the arrival, or of the user's turn; no two of one run are alike", alone},
	{"now", "{{now+24h}}", "the time of the request, or so long before or after it, as in 2006-01-02T15:04:05Z", func(p *Placeholder, rest string) bool {
		if rest == "" {
			return true
		}
		if rest[0] != '+' && rest[0] != '-' {
			return false
		}
		var err error
		p.Shift, err = time.ParseDuration(strings.ReplaceAll(rest, " ", ""))
		return err == nil
	}},
	{"today", "{{today}}", "the day of the request in UTC, as in 2006-01-02", alone},
	{"int", "{{int 1 10}}", "a whole number from the first to the second, both included", func(p *Placeholder, rest string) bool {
		ends := strings.Fields(rest)
		if len(ends) != 2 {
			return false
		}
		var errLow, errHigh error
		p.Low, errLow = strconv.ParseInt(ends[0], 10, 64)
		p.High, errHigh = strconv.ParseInt(ends[1], 10, 64)
		return errLow == nil && errHigh == nil && p.Low <= p.High
	}},
	{"pick", "{{pick paper|foil}}", "one of the words", func(p *Placeholder, rest string) bool {
		p.Words = strings.Split(rest, "|")
		return rest != ""
	}},
	{"env", "{{env API_KEY}}", "the environment variable of that name, the same throughout; it stands in no log and no report", func(p *Placeholder, rest string) bool {
		p.Name = rest
		return environment.MatchString(rest)
	}},
}

// environment is the name of an environment variable.
var environment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func alone(_ *Placeholder, rest string) bool { return rest == "" }

// generators are their words.
var generators = func() (words []string) {
	for _, g := range generatorList {
		words = append(words, g.Word)
	}
	return words
}()

// ReadPlaceholder reads what stands between {{ and }}. The error says what was
// found and what was expected.
func ReadPlaceholder(inside string) (Placeholder, error) {
	inside = strings.TrimSpace(inside)
	for _, g := range generatorList {
		rest, ok := strings.CutPrefix(inside, g.Word)
		if !ok || rest != "" && !strings.ContainsAny(rest[:1], " +-\t") {
			continue // another word that begins alike
		}
		p := Placeholder{Word: g.Word}
		if !g.read(&p, strings.TrimSpace(rest)) {
			return Placeholder{}, fmt.Errorf("found {{%s}}, expected as in %s: %s", inside, g.Example, g.About)
		}
		return p, nil
	}
	if !variable.MatchString(inside) {
		word, _, _ := strings.Cut(inside, " ")
		if near, ok := strict.Nearest(word, generators); ok {
			return Placeholder{}, fmt.Errorf("found {{%s}}, expected a saved name or a generator, such as %s", inside, near)
		}
		return Placeholder{}, fmt.Errorf("found {{%s}}, expected a saved name or a generator (%s)", inside, strings.Join(generators, ", "))
	}
	return Placeholder{Name: inside}, nil
}

// cut finds the next {{…}} in a text: what stands in it, and what after it.
func cut(text string) (inside, after string, found, closed bool) {
	_, rest, found := strings.Cut(text, "{{")
	if !found {
		return "", "", false, true
	}
	inside, after, closed = strings.Cut(rest, "}}")
	return strings.TrimSpace(inside), after, true, closed
}

// wrong is a placeholder that cannot be read: what stands between {{ and }}, and why.
type wrong struct{ inside, why string }

// variables are the names in a text that are no generators, in their order, and
// what is wrong with its placeholders.
func variables(text string) (names []string, wrongs []wrong) {
	for {
		inside, after, found, closed := cut(text)
		switch {
		case !found:
			return names, wrongs
		case !closed:
			return names, append(wrongs, wrong{"{{", "found {{ without }}"})
		}
		switch p, err := ReadPlaceholder(inside); {
		case err != nil:
			wrongs = append(wrongs, wrong{inside, err.Error()})
		case p.Word == "":
			names = append(names, p.Name)
		}
		text = after
	}
}

// withoutPlaceholders is the text that is sent as it stands, with an x for each
// placeholder.
func withoutPlaceholders(text string) string {
	var b strings.Builder
	for {
		_, after, found, closed := cut(text)
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:strings.Index(text, "{{")] + "x")
		text = after
	}
}

// texts are those of a step that placeholders may stand in.
func (s *Step) texts() []string {
	all := []string{s.Path, s.Body}
	for _, v := range s.Header {
		all = append(all, v)
	}
	slices.Sort(all[2:])
	return append(all, s.Expect.texts()...)
}

// texts are those that an answer is held against.
func (e *Expect) texts() (all []string) {
	for _, values := range []map[string]*string{e.Header, e.JSON} {
		for _, name := range keys(values) {
			if want := values[name]; want != nil {
				all = append(all, *want)
			}
		}
	}
	return append(all, e.Body)
}

// names are the variables in a step.
func (s *Step) names() (names []string) {
	for _, text := range s.texts() {
		found, _ := variables(text)
		names = append(names, found...)
	}
	return names
}

// Environment are the variables of {{env NAME}} that the scenario needs, sorted.
func (s *Scenario) Environment() (names []string) {
	for _, step := range s.steps() {
		for _, text := range step.texts() {
			for inside, rest, found, closed := cut(text); found && closed; inside, rest, found, closed = cut(rest) {
				if p, err := ReadPlaceholder(inside); err == nil && p.Word == "env" && !slices.Contains(names, p.Name) {
					names = append(names, p.Name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}
