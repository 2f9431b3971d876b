package scenarios

import (
	"fmt"
	"maps"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

func (r *reader) accounts(n *yaml.Node) (a Accounts) {
	found := r.Fields(n, "accounts", strict.Fields{
		"sign_in":       func(n *yaml.Node) { a.SignIn = r.accountStep(n, "sign in", true) },
		"sign_out":      func(n *yaml.Node) { s := r.accountStep(n, "sign out", false); a.SignOut = &s },
		"refresh":       func(n *yaml.Node) { s := r.accountStep(n, "refresh", true); a.Refresh = &s },
		"requests_each": func(n *yaml.Node) { a.Requests = r.Int(n, "requests_each", 1) },
	})
	if n.Kind != yaml.MappingNode {
		return a
	}
	if found["sign_in"] == nil {
		r.Fail(n, "", "accounts need sign_in, the step that signs one in")
	}
	r.signIn = found["sign_in"]
	return a
}

// accountStep reads a step of the accounts; its name may be left out. Signing in and
// refreshing happen without a token.
func (r *reader) accountStep(n *yaml.Node, name string, anonymous bool) Step {
	s := Step{Name: name, Anonymous: anonymous, Line: n.Line, Col: n.Column}
	fields, finish := r.stepFields(&s)
	found := r.Fields(n, "a step", fields)
	finish()
	r.whole(n, found)
	if s.Follow != "" {
		r.Fail(found["follow"], "", "found follow in %s, which follows no other step", name)
	}
	return s
}

func (r *reader) journeys(n *yaml.Node) (js []Journey) {
	r.List(n, "journeys", func(n *yaml.Node) {
		j := Journey{Weight: 1}
		found := r.Fields(n, "a journey", strict.Fields{
			"name":   func(n *yaml.Node) { j.Name = r.Word(n, "name") },
			"weight": func(n *yaml.Node) { j.Weight = r.Int(n, "weight", 1) },
			"think":  func(n *yaml.Node) { j.Think = r.span(n, "think") },
			"tasks":  func(n *yaml.Node) { j.Tasks = append(j.Tasks, r.tasks(n)...) },
			"steps":  func(n *yaml.Node) { j.Tasks = append(j.Tasks, Task{Name: "steps", Weight: 1, Steps: r.stepList(n)}) },
			"feed":   func(n *yaml.Node) { j.Feed = r.feed(n) },
		})
		switch {
		case n.Kind != yaml.MappingNode:
		case found["name"] == nil:
			r.Fail(n, "as in name: patient", "a journey needs a name")
		case found["tasks"] == nil == (found["steps"] == nil):
			r.Fail(n, "steps for one course, tasks to draw from by weight", "journey %q needs either steps or tasks", j.Name)
		}
		js = append(js, j)
	})
	return js
}

// tasks reads a journey's tasks. One of a single request is written without
// steps, and the task's name is the step's.
func (r *reader) tasks(n *yaml.Node) (ts []Task) {
	lines := map[string]int{}
	r.List(n, "tasks", func(n *yaml.Node) {
		t := Task{Weight: 1}
		single := Step{Line: n.Line, Col: n.Column}
		fields, finish := r.stepFields(&single)
		inline := slices.Collect(maps.Keys(fields))
		fields["name"] = func(n *yaml.Node) { t.Name = r.title(n) }
		fields["weight"] = func(n *yaml.Node) { t.Weight = r.Int(n, "weight", 1) }
		fields["think"] = func(n *yaml.Node) { t.Think = r.span(n, "think") }
		fields["steps"] = func(n *yaml.Node) { t.Steps = r.stepList(n) }
		found := r.Fields(n, "a task", fields)
		if n.Kind != yaml.MappingNode {
			return
		}
		if found["name"] == nil {
			r.Fail(n, "as in name: list medications", "a task needs a name")
		}
		if found["steps"] == nil {
			single.Name = t.Name
			finish()
			r.whole(n, found)
			if single.Follow != "" {
				r.Fail(found["follow"], "write both as steps of one task", "found follow in a task of one step, which follows no other")
			}
			t.Steps = []Step{single}
		} else {
			for _, name := range inline {
				if key := found[name]; key != nil && name != "name" {
					r.Fail(key, "move it into a step", "found %s beside steps", name)
				}
			}
		}
		if first, twice := lines[t.Name]; twice && t.Name != "" && found["steps"] != nil {
			r.Fail(n, fmt.Sprintf("first on line %d", first), "task %q stands twice", t.Name)
		}
		lines[t.Name] = n.Line
		ts = append(ts, t)
	})
	return ts
}

func (r *reader) stepList(n *yaml.Node) (steps []Step) {
	r.List(n, "steps", func(n *yaml.Node) {
		s := Step{Line: n.Line, Col: n.Column}
		fields, finish := r.stepFields(&s)
		found := r.Fields(n, "a step", fields)
		finish()
		if s.Follow != "" && len(steps) == 0 {
			r.Fail(found["follow"], "", "found follow in the first step, which follows no other")
		}
		if found["name"] == nil && n.Kind == yaml.MappingNode {
			r.Fail(n, "as in name: list medications", "a step needs a name")
		}
		r.whole(n, found)
		steps = append(steps, s)
	})
	return steps
}
