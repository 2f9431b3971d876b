package harness

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/scenarios"
)

// Print says what a run of the plan would do.
func (p *Plan) Print(w io.Writer) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	if len(p.scenarios) == 0 && p.profile != nil {
		printProfile(p.profile, line)
	}
	for i, sc := range p.scenarios {
		if i > 0 {
			line("")
		}
		load := sc.At(p.o.Pace)
		line("%s: %s", sc.Name, sc.About)
		line("  load      %s, %s pace, %v, judged over %v; %s", load.Model, p.o.Pace, load.Total(), load.Window(), accountsOf(p.o.Pace, sc))
		for _, st := range load.Stages {
			line("  stage     %-12s %v: %g to %g%s", st.Name, st.For, st.From, st.To, map[bool]string{true: ", judged"}[st.Judged])
		}
		if sc.Cookies {
			line("  cookies   each user keeps those that it is given")
		}
		steps := func(what string, ss ...*scenarios.Step) {
			for _, s := range ss {
				if s != nil && s.Path != "" {
					line("  %-9s %s: %s", what, s.Name, request(s))
					details(s, line)
				}
			}
		}
		steps("account", &sc.Accounts.SignIn, sc.Accounts.Refresh, sc.Accounts.SignOut)
		weights := 0
		for _, j := range sc.Journeys {
			weights += max(1, j.Weight)
		}
		for _, j := range sc.Journeys {
			line("  journey   %s: weight %d of %d, think %v to %v", j.Name, max(1, j.Weight), weights, j.Think.From, j.Think.To)
			if f := j.Feed; f != nil {
				line("    feed    %s: %d rows of %s, %s", f.File, len(f.Rows), strings.Join(f.Column, ", "), f.Order)
			}
			for _, t := range j.Tasks {
				line("    %3d ×   %s", max(1, t.Weight), t.Name)
				for i := range t.Steps {
					line("              %s", request(&t.Steps[i]))
					details(&t.Steps[i], line)
				}
			}
		}
		for _, in := range sc.Intruder {
			line("  intruder  %s: %s, after %v", in.Name, in.Kind, in.After)
			if lack := intruders.Lacks(p.api(), in.Kind); lack != "" {
				line("  note      intruder %q will show nothing: %s (give --profile)", in.Name, lack)
			}
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

// accountsOf is in words how many accounts the users of a scenario need.
func accountsOf(pace string, sc *scenarios.Scenario) string {
	if sc.Accounts.SignIn.Path == "" {
		return "nobody signs in"
	}
	return "about " + count(scenarios.Needed(pace, sc), "account")
}

// request is a step in one line.
func request(s *scenarios.Step) string {
	text := cmp.Or(s.Method, "GET") + " " + cmp.Or(load.Written(s.Path), "the address in the header "+s.Follow+" of the answer before it")
	if s.Anonymous {
		text += ", anonymous"
	}
	expected := "any 2xx"
	if len(s.Expect.Status) > 0 {
		expected = strings.Trim(fmt.Sprint(s.Expect.Status), "[]")
	}
	text += ", " + expected
	if s.Expect.Max > 0 {
		text += " within " + s.Expect.Max.String()
	}
	return text
}

// details are what else the step sends, and what it looks for in the answer.
func details(s *scenarios.Step, line func(format string, args ...any)) {
	for _, name := range slices.Sorted(maps.Keys(s.Header)) {
		line("                %s: %s", name, load.WrittenHeader(name, s.Header[name]))
	}
	if typed := func(name string) bool { return strings.EqualFold(name, "Content-Type") }; s.Body != "" && s.Binary == nil && !slices.ContainsFunc(slices.Collect(maps.Keys(s.Header)), typed) {
		line("                Content-Type: application/json") // as bodies are sent that say nothing else
	}
	if s.Body != "" {
		line("                body %s", brief(load.WrittenBody(s)))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Expect.Header)) {
		line("                expects header %s%s", name, equals(s.Expect.Header[name]))
	}
	for _, path := range slices.Sorted(maps.Keys(s.Expect.JSON)) {
		line("                expects json %s%s", path, equalsJSON(s.Expect.JSON[path]))
	}
	if s.Expect.Body != "" {
		line("                expects the text %s", strconv.Quote(s.Expect.Body))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Save)) {
		line("                saves %s from %s", name, s.Save[name])
	}
}

func equals(want *string) string {
	if want == nil {
		return ""
	}
	return fmt.Sprintf(" = %q", *want)
}

// equalsJSON shows a value as JSON writes it: 20 is another than "20".
func equalsJSON(want *string) string {
	if want != nil && json.Valid([]byte(*want)) {
		return " = " + *want
	}
	return equals(want)
}

// brief is a text on one line, cut to what a screen holds: as it is, or quoted where it
// has ends of lines or the like in it.
func brief(text string) string {
	const most = 300
	shown, more := text, ""
	if len(text) > most {
		shown, more = strings.ToValidUTF8(text[:most], ""), "…"
	}
	if strings.ContainsFunc(shown, unicode.IsControl) {
		shown = strconv.Quote(shown)
	}
	return shown + more
}
