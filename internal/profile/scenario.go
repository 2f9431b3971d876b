package profile

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"vitals/scenarios"
	"vitals/targets"
)

// Scenario is sc as the profile's API is sent it. A step that is an operation of
// the clinic, by its method and path, becomes the profile's operation of that
// name: method, path, body and header are the profile's, filled with what the
// step fills the clinic's with; what is saved and looked at is looked for where
// the profile's fields say, and success is the profile's. Any other step is sent
// as it stands.
//
// A task with a step that the profile has no operation for is left out, and so is
// one that waits for what only such a task saves. The notes tell all of this; that
// nothing is left, that nobody can sign in, or that a target names a step which is
// gone, is an error. sc itself is not changed. A scenario without any of the
// clinic's operations is one of the profile's own API, and is sent as it stands.
func (p *Profile) Scenario(sc *scenarios.Scenario) (*scenarios.Scenario, []string, error) {
	t := translation{from: Clinic(), to: p, sc: sc}
	out := *sc
	foreign := true
	each(&out, func(s *scenarios.Step) {
		name, _ := t.from.match(*s)
		foreign = foreign && name == ""
	})
	if foreign {
		return sc, nil, nil
	}
	t.accounts(&out.Accounts)
	out.Journeys = nil
	tasks := 0
	for _, j := range sc.Journeys {
		kept := t.journey(j, keys(out.Accounts.SignIn.Save))
		if tasks += len(kept.Tasks); len(kept.Tasks) > 0 {
			out.Journeys = append(out.Journeys, kept)
		}
	}
	if len(out.Journeys) == 0 {
		t.fail("nothing is left of its journeys:\n  %s", strings.Join(t.notes, "\n  "))
	}
	if err := errors.Join(t.errs...); err != nil {
		return nil, nil, err
	}
	t.prune(&out)
	if err := errors.Join(targets.Check(out.Targets, out.Scope()), targets.CheckAbort(out.Abort, out.Scope())); err != nil {
		return nil, nil, fmt.Errorf("scenario %s by profile %s: %w", sc.Name, p.Name, err)
	}
	out.SHA256 = out.Digest()
	return &out, t.notes, nil
}

// translation is one scenario on its way from one API to another.
type translation struct {
	from, to *Profile
	sc       *scenarios.Scenario
	taken    map[string]Operation // by step, the operation it became
	notes    []string
	errs     []error
}

func (t *translation) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(t.notes, text) {
		t.notes = append(t.notes, text)
	}
}

func (t *translation) fail(format string, args ...any) {
	t.errs = append(t.errs, fmt.Errorf("scenario %s by profile %s: "+format, append([]any{t.sc.Name, t.to.Name}, args...)...))
}

// accounts translates how users sign in and out. Only signing in is a must.
func (t *translation) accounts(a *scenarios.Accounts) {
	free := []string{"email", "password"}
	if a.SignIn.Path != "" {
		s, lacks, err := t.step(a.SignIn, free)
		if lacks != "" {
			err = fmt.Errorf("the profile has no operation %q", lacks)
		}
		if err != nil {
			t.fail("nobody can sign in: %w", err)
		}
		a.SignIn = s
		for _, name := range t.to.asked() {
			if a.SignIn.Save == nil {
				a.SignIn.Save = map[string]string{}
			}
			a.SignIn.Save[name] = "json:" + t.to.Operations["login"].place(name)
		}
	}
	free = append(free, keys(a.SignIn.Save)...)
	for what, at := range map[string]**scenarios.Step{"sign out": &a.SignOut, "refresh a session": &a.Refresh} {
		if *at == nil {
			continue
		}
		s, lacks, err := t.step(**at, free)
		if err != nil {
			t.fail("%w", err)
		}
		if *at = &s; lacks != "" {
			*at = nil
			t.note("profile %s has no operation %q: users do not %s", t.to.Name, lacks, what)
		}
	}
}

// asked are the profile's own fields of the sign-in's answer that some operation asks
// for, as a token against forged requests.
func (p *Profile) asked() (out []string) {
	for name := range p.Operations["login"].Fields {
		if name == "access_token" || name == "refresh_token" {
			continue // scenarios save these by themselves
		}
		for _, op := range p.Operations {
			if slices.Contains(op.Placeholders(), name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// journey translates what can be, and leaves out what cannot.
func (t *translation) journey(j scenarios.Journey, signedIn []string) scenarios.Journey {
	given := append([]string{"email", "password"}, signedIn...)
	if j.Feed != nil {
		given = append(given, j.Feed.Column...)
	}
	all := slices.Clone(given)
	weights := 0
	for _, task := range j.Tasks {
		weights += max(1, task.Weight)
		for _, s := range task.Steps {
			all = append(all, keys(s.Save)...)
		}
	}
	leave := func(task scenarios.Task, why string) {
		w := max(1, task.Weight)
		t.note("task %q (weight %d of %d, %.0f %%) is left out: %s", task.Name, w, weights, 100*float64(w)/float64(weights), why)
	}
	tasks := j.Tasks
	j.Tasks = nil
	for _, task := range tasks {
		steps, missing := task.Steps, ""
		task.Steps = nil
		for _, s := range steps {
			made, lacks, err := t.step(s, all)
			if err != nil {
				t.fail("%w", err)
			}
			if lacks != "" && missing == "" {
				missing = fmt.Sprintf("profile %s has no operation %q (step %q)", t.to.Name, lacks, s.Name)
			}
			task.Steps = append(task.Steps, made)
		}
		if missing != "" {
			leave(task, missing)
			continue
		}
		j.Tasks = append(j.Tasks, task)
	}
	for n := -1; n != len(j.Tasks); { // until no task waits for one that is left out
		n = len(j.Tasks)
		have := slices.Clone(given)
		for _, task := range j.Tasks {
			for _, s := range task.Steps {
				have = append(have, keys(s.Save)...)
			}
		}
		j.Tasks = slices.DeleteFunc(j.Tasks, func(task scenarios.Task) bool {
			for _, s := range task.Steps {
				for _, name := range wants(s) {
					if !slices.Contains(have, name) {
						leave(task, fmt.Sprintf("nothing that is left saves {{%s}} (step %q)", name, s.Name))
						return true
					}
				}
			}
			return false
		})
	}
	return j
}

// prune drops what would be saved of answers and used by nobody: another API may
// not tell it. What the profile gives a place to is there.
func (t *translation) prune(sc *scenarios.Scenario) {
	used := map[string]bool{"token": true}
	each(sc, func(s *scenarios.Step) {
		for _, name := range wants(*s) {
			used[name] = true
		}
	})
	each(sc, func(s *scenarios.Step) {
		op, changed := t.taken[s.Name]
		if !changed {
			return
		}
		s.Save = maps.Clone(s.Save)
		maps.DeleteFunc(s.Save, func(name, _ string) bool {
			_, placed := op.Fields[name]
			return !used[name] && !placed
		})
	})
}

// each calls f for every step of honest users.
func each(sc *scenarios.Scenario, f func(*scenarios.Step)) {
	for _, s := range []*scenarios.Step{&sc.Accounts.SignIn, sc.Accounts.SignOut, sc.Accounts.Refresh} {
		if s != nil && s.Path != "" {
			f(s)
		}
	}
	for i := range sc.Journeys {
		for k := range sc.Journeys[i].Tasks {
			for n := range sc.Journeys[i].Tasks[k].Steps {
				f(&sc.Journeys[i].Tasks[k].Steps[n])
			}
		}
	}
}

// same tells that both APIs are sent the operation alike.
func same(a, b Operation) bool { return reflect.DeepEqual(a, b) }

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
