package scenarios

import (
	"fmt"
	"maps"
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

// variables are the names in a text that are no generators, in their order, and
// what is wrong with its placeholders.
func variables(text string) (names, wrongs []string) {
	for {
		inside, after, found, closed := cut(text)
		switch {
		case !found:
			return names, wrongs
		case !closed:
			return names, append(wrongs, "found {{ without }}")
		}
		switch p, err := ReadPlaceholder(inside); {
		case err != nil:
			wrongs = append(wrongs, err.Error())
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

// placeholders finds names that no answer, feed or account can ever fill, and
// tasks that could never be drawn. In a scenario that is broken otherwise, what
// would fill a name may not have been read: then only misspelt names are told.
func (r *reader) placeholders(broken bool) {
	fail := func(s *Step, hint, format string, args ...any) {
		r.Add(&Error{Line: s.Line, Col: s.Col, Msg: fmt.Sprintf("step %q: ", s.Name) + fmt.Sprintf(format, args...), Hint: hint})
	}
	for _, s := range r.sc.steps() {
		for _, text := range s.texts() {
			_, wrongs := variables(text)
			for _, wrong := range wrongs {
				fail(s, "", "%s", wrong)
			}
		}
		for _, text := range s.Expect.texts() {
			for inside, rest, found, closed := cut(text); found && closed; inside, rest, found, closed = cut(rest) {
				if p, err := ReadPlaceholder(inside); err == nil && p.Word != "" && p.Word != "env" {
					fail(s, "expect what was saved, as in {{name}}, or null for any", "expect: {{%s}} makes another value each time", inside)
				}
			}
		}
	}
	free := []string{"email", "password"}
	accounts := &r.sc.Accounts
	check := func(s *Step, known []string) {
		for _, name := range s.names() {
			if _, near := strict.Nearest(name, known); !slices.Contains(known, name) && (near || !broken) {
				fail(s, strict.Hint(name, slices.Concat(known, generators)), "nothing fills {{%s}}", name)
			}
		}
		for _, name := range s.Forget {
			if _, near := strict.Nearest(name, known); !slices.Contains(known, name) && (near || !broken) {
				fail(s, strict.Hint(name, known), "forgets %q, which nothing saves", name)
			}
		}
	}
	if s := &accounts.SignIn; s.Path != "" || s.Body != "" || len(s.Header) > 0 { // its method may be misspelt
		check(s, free)
		free = append(free, keys(accounts.SignIn.Save)...)
	}
	for _, s := range []*Step{accounts.SignOut, accounts.Refresh} {
		if s != nil {
			check(s, free)
		}
	}
	for i := range r.sc.Journeys {
		j := &r.sc.Journeys[i]
		given := slices.Clone(free)
		if j.Feed != nil {
			given = append(given, j.Feed.Column...)
			r.taken(j)
		}
		known := slices.Clone(given)
		for _, t := range j.Tasks {
			for _, s := range t.Steps {
				known = append(known, keys(s.Save)...)
			}
		}
		before := len(r.Errors())
		for k := range j.Tasks {
			for n := range j.Tasks[k].Steps {
				check(&j.Tasks[k].Steps[n], known)
			}
		}
		if len(r.Errors()) == before && !broken {
			r.drawable(j, given, fail)
		}
	}
}

// taken finds columns of a feed whose name means something else already: a request
// would be filled with the one or the other as the run goes on.
func (r *reader) taken(j *Journey) {
	by := map[string]string{"email": "it is the account's", "password": "it is the account's", "token": "it is the session's", "expires_in": "it is the session's"}
	for _, word := range generators {
		by[word] = fmt.Sprintf("{{%s}} makes a value itself", word)
	}
	for _, s := range []*Step{&r.sc.Accounts.SignIn, r.sc.Accounts.Refresh, r.sc.Accounts.SignOut} {
		if s != nil {
			for name := range s.Save {
				by[name] = fmt.Sprintf("step %q saves it", s.Name)
			}
		}
	}
	for _, t := range j.Tasks {
		for _, s := range t.Steps {
			for name := range s.Save {
				by[name] = fmt.Sprintf("step %q saves it", s.Name)
			}
		}
	}
	for _, column := range j.Feed.Column {
		if why, ok := by[column]; ok {
			r.Add(&Error{File: r.beside(j.Feed.File), Line: 1, Col: 1, Msg: fmt.Sprintf("column %q is taken: %s", column, why), Hint: "give the column another name"})
		}
	}
}

// drawable finds tasks whose first step waits for a value that only they, or
// others that wait as well, would save; and later steps that use a value which
// the first step did not ask for.
func (r *reader) drawable(j *Journey, given []string, fail func(*Step, string, string, ...any)) {
	has := map[string]bool{}
	for _, name := range given {
		has[name] = true
	}
	done := make([]bool, len(j.Tasks))
	for again := true; again; {
		again = false
		for i, t := range j.Tasks {
			if len(t.Steps) == 0 { // a mistake, told already
				done[i] = true
			}
			if done[i] || missing(&t.Steps[0], has) != "" {
				continue
			}
			done[i], again = true, true
			for _, s := range t.Steps {
				for name := range s.Save {
					has[name] = true
				}
			}
		}
	}
	for i := range j.Tasks {
		t := &j.Tasks[i]
		if len(t.Steps) == 0 {
			continue
		}
		if !done[i] {
			fail(&t.Steps[0], "another task must save it first", "the task can never be drawn: {{%s}} is not there before it", missing(&t.Steps[0], has))
			continue
		}
		own := map[string]bool{}
		for _, name := range slices.Concat(given, t.Steps[0].names(), keys(t.Steps[0].Save)) {
			own[name] = true
		}
		for n := 1; n < len(t.Steps); n++ {
			if name := missing(&t.Steps[n], own); name != "" {
				fail(&t.Steps[n], "save it in an earlier step of the task, or use it in its first", "{{%s}} may not be there yet", name)
			}
			for name := range t.Steps[n].Save {
				own[name] = true
			}
		}
	}
}

// missing is the first name of the step that is not there.
func missing(s *Step, has map[string]bool) string {
	for _, name := range s.names() {
		if !has[name] {
			return name
		}
	}
	return ""
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
