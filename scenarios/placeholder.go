package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/strict"
)

// generators are the words of placeholders that make a value anew each time.
var generators = []string{"uuid", "seq", "now", "today", "int", "pick"}

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
		is, wrong := generator(inside)
		switch {
		case wrong != "":
			wrongs = append(wrongs, wrong)
		case is:
		case !variable.MatchString(inside):
			wrongs = append(wrongs, fmt.Sprintf("found {{%s}}, expected a saved name or a generator (%s)", inside, strings.Join(generators, ", ")))
		default:
			names = append(names, inside)
		}
		text = after
	}
}

// generator tells whether the placeholder makes a value itself.
func generator(inside string) (is bool, wrong string) {
	word, rest, _ := strings.Cut(inside, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case inside == "uuid" || inside == "seq" || inside == "now" || inside == "today":
		return true, ""
	case strings.HasPrefix(inside, "now+") || strings.HasPrefix(inside, "now-"):
		if _, err := time.ParseDuration(inside[4:]); err != nil {
			return false, fmt.Sprintf("found {{%s}}, expected a time as in {{now+24h}}", inside)
		}
		return true, ""
	case word == "int":
		ends := strings.Fields(rest)
		if len(ends) == 2 {
			a, errA := strconv.Atoi(ends[0])
			b, errB := strconv.Atoi(ends[1])
			if errA == nil && errB == nil && a <= b {
				return true, ""
			}
		}
		return false, fmt.Sprintf("found {{%s}}, expected two whole numbers, the lower first, as in {{int 1 10}}", inside)
	case word == "pick":
		if rest == "" {
			return false, fmt.Sprintf("found {{%s}}, expected words to pick from, as in {{pick a|b}}", inside)
		}
		return true, ""
	}
	return false, ""
}

// withoutPlaceholders is the text that is sent as it stands.
func withoutPlaceholders(text string) string {
	var b strings.Builder
	for {
		_, after, found, closed := cut(text)
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:strings.Index(text, "{{")])
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
	return all
}

// names are the variables in a step.
func (s *Step) names() (names []string) {
	for _, text := range s.texts() {
		found, _ := variables(text)
		names = append(names, found...)
	}
	return names
}

// placeholders finds names that no answer, feed or account can ever fill, and
// tasks that could never be drawn.
func (r *reader) placeholders() {
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
	}
	free := []string{"email", "password"}
	accounts := &r.sc.Accounts
	check := func(s *Step, known []string) {
		for _, name := range s.names() {
			if !slices.Contains(known, name) {
				fail(s, strict.Hint(name, slices.Concat(known, generators)), "nothing fills {{%s}}", name)
			}
		}
		for _, name := range s.Forget {
			if !slices.Contains(known, name) {
				fail(s, strict.Hint(name, known), "forgets %q, which nothing saves", name)
			}
		}
	}
	if accounts.SignIn.Path != "" {
		check(&accounts.SignIn, free)
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
		if len(r.Errors()) == before {
			r.drawable(j, given, fail)
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
