package harness

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"vitals/scenarios"
)

// Print says what a run of the plan would do.
func (p *Plan) Print(w io.Writer) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	for i, sc := range p.scenarios {
		if i > 0 {
			line("")
		}
		load := sc.At(p.o.Pace)
		line("%s: %s", sc.Name, sc.About)
		line("  load      %s, %s pace, %v, judged over %v; about %d accounts", load.Model, p.o.Pace, load.Total(), load.Window(), scenarios.Needed(p.o.Pace, sc))
		for _, st := range load.Stages {
			line("  stage     %-12s %v: %g to %g%s", st.Name, st.For, st.From, st.To, map[bool]string{true: ", judged"}[st.Judged])
		}
		steps := func(what string, ss ...*scenarios.Step) {
			for _, s := range ss {
				if s != nil && s.Path != "" {
					line("  %-9s %s: %s", what, s.Name, request(s))
				}
			}
		}
		steps("account", &sc.Accounts.SignIn, sc.Accounts.Refresh, sc.Accounts.SignOut)
		for _, j := range sc.Journeys {
			line("  journey   %s: think %v to %v", j.Name, j.Think.From, j.Think.To)
			for _, t := range j.Tasks {
				line("    %3d ×   %s", max(1, t.Weight), t.Name)
				for i := range t.Steps {
					line("              %s", request(&t.Steps[i]))
				}
			}
		}
		for _, in := range sc.Intruder {
			line("  intruder  %s: %s, after %v", in.Name, in.Kind, in.After)
		}
		for _, t := range p.asked(sc) {
			if t.Asked(sc.Name) {
				line("  target    %s", t.Text)
			}
		}
		for _, t := range sc.Abort {
			line("  abort     %s", t.Text)
		}
		for _, n := range p.notes[sc] {
			line("  note      %s", n)
		}
		line("  sha256    %s", sc.SHA256)
	}
	return errors.Join(errs...)
}

// request is a step in one line: never a body, which may be long.
func request(s *scenarios.Step) string {
	text := cmp.Or(s.Method, "GET") + " " + s.Path
	if len(s.Expect.Status) == 0 {
		return text + ", any 2xx"
	}
	return text + ", " + strings.Trim(fmt.Sprint(s.Expect.Status), "[]")
}
