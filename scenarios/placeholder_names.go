package scenarios

import (
	"fmt"
	"maps"
	"slices"

	"vitals/internal/strict"
)

// malformed finds placeholders that cannot be read, or make no sense where they stand.
func (r *reader) malformed() {
	for _, s := range r.sc.steps() {
		for _, text := range s.texts() {
			_, wrongs := variables(text)
			for _, w := range wrongs {
				r.failAt(s, w.inside, "", "%s", w.why)
			}
		}
		for _, text := range s.Expect.texts() {
			for inside, rest, found, closed := cut(text); found && closed; inside, rest, found, closed = cut(rest) {
				if p, err := ReadPlaceholder(inside); err == nil && p.Word != "" && p.Word != "env" {
					r.failAt(s, "{{"+inside+"}}", "expect what was saved, as in {{name}}, or null for any", "expect: {{%s}} makes another value each time", inside)
				}
			}
		}
	}
}

// failAt notes a mistake of a step where its text stands first in it.
func (r *reader) failAt(s *Step, text, hint, format string, args ...any) {
	e := &Error{Line: s.Line, Col: s.Col, Msg: fmt.Sprintf("step %q: ", s.Name) + fmt.Sprintf(format, args...), Hint: hint}
	if line, col, ok := r.Find(s.Line, text); ok && text != "" {
		e.Line, e.Col = line, col
	}
	r.Add(e)
}

// placeholders finds names that no answer, feed or account can ever fill, and
// tasks that could never be drawn. In a scenario that is broken otherwise, what
// would fill a name may not have been read: no such name is told.
func (r *reader) placeholders() {
	free := []string{"email", "password"}
	accounts := &r.sc.Accounts
	check := func(s *Step, known []string, any bool) {
		for _, name := range s.names() {
			if !r.fills(name, known, any) {
				r.failAt(s, "{{"+name+"}}", strict.Hint(name, slices.Concat(known, generators)), "nothing fills {{%s}}", name)
			}
		}
		for _, name := range s.Forget {
			if !r.fills(name, known, any) {
				r.failAt(s, name, strict.Hint(name, known), "forgets %q, which nothing saves", name)
			}
		}
	}
	if s := &accounts.SignIn; s.Path != "" || s.Body != "" || len(s.Header) > 0 { // its method may be misspelt
		check(s, free, r.lost.any)
		free = append(free, keys(accounts.SignIn.Save)...)
	}
	for _, s := range []*Step{accounts.SignOut, accounts.Refresh} {
		if s != nil {
			check(s, free, r.lost.any)
		}
	}
	for i := range r.sc.Journeys {
		j := &r.sc.Journeys[i]
		given, any := slices.Clone(free), r.lost.any
		if j.Feed != nil {
			given = append(given, j.Feed.Column...)
			any = any || j.Feed.Column == nil // it could not be read
			r.taken(j)
		}
		known := slices.Clone(given)
		for _, t := range j.Tasks {
			for _, s := range t.Steps {
				known = append(known, keys(s.Save)...)
			}
		}
		for k := range j.Tasks {
			for n := range j.Tasks[k].Steps {
				s := &j.Tasks[k].Steps[n]
				check(s, known, any)
				for _, name := range s.names() {
					if !slices.Contains(known, name) { // told, or filled by what could not be read
						given = append(given, name)
					}
				}
			}
		}
		r.drawable(j, given)
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
func (r *reader) drawable(j *Journey, given []string) {
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
			r.failAt(&t.Steps[0], "", "another task must save it first", "the task can never be drawn: {{%s}} is not there before it", missing(&t.Steps[0], has))
			continue
		}
		own := map[string]bool{}
		for _, name := range slices.Concat(given, t.Steps[0].names(), keys(t.Steps[0].Save)) {
			own[name] = true
		}
		for n := 1; n < len(t.Steps); n++ {
			if name := missing(&t.Steps[n], own); name != "" {
				r.failAt(&t.Steps[n], "", "save it in an earlier step of the task, or use it in its first", "{{%s}} may not be there yet", name)
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
