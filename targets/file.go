package targets

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

//go:embed library/*.yaml
var library embed.FS

// Names are the built-in sets, sorted.
func Names() []string {
	entries, _ := fs.Glob(library, "library/*.yaml") // the pattern is well formed
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(path.Base(e), ".yaml")
	}
	return names
}

// Production is the built-in set of the published figures.
func Production() []Target {
	ts, err := Open("production")
	if err != nil {
		panic("targets: the built-in production set cannot be read: " + err.Error())
	}
	return ts
}

// Open reads a built-in set by its name, or a file by its path. A name that is
// neither is an error with the nearest right spelling.
func Open(name string) ([]Target, error) {
	if !strings.ContainsAny(name, `./\`) {
		text, err := library.ReadFile("library/" + name + ".yaml")
		if err != nil {
			return nil, &strict.Error{Msg: fmt.Sprintf("no built-in targets named %q", name), Hint: strict.Hint(name, append(Names(), "none"))}
		}
		return ParseFile(strings.NewReader(string(text)), name+".yaml")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("targets: %w", err)
	}
	defer f.Close()
	return ParseFile(f, name)
}

// ParseFile reads a file of targets; name stands in its messages. All mistakes
// are given at once, as strict.Errors.
func ParseFile(r io.Reader, name string) ([]Target, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read targets %s: %w", name, err)
	}
	d, root := strict.Parse(name, text)
	if root == nil || d.Mistaken(root, "a targets file") {
		return nil, d.Err()
	}
	var ts []Target
	found := d.Fields(root, "a targets file", strict.Fields{
		"name":    func(n *yaml.Node) { d.Word(n, "name") },
		"about":   func(n *yaml.Node) { d.Text(n, "about") },
		"targets": func(n *yaml.Node) { ts = ReadList(d, n, "targets") },
		"abort": func(n *yaml.Node) {
			d.Fail(n, "write it into the scenario, beside its load", "abort: in a targets file: what ends a run stands in a scenario")
		},
	})
	if found["targets"] == nil && root.Kind == yaml.MappingNode {
		d.Fail(root, "as in targets: [p95 < 300ms]", "a targets file needs targets")
	}
	return ts, d.Err()
}

// ReadList reads a YAML list of sentences. An entry is a sentence, or fields:
// {target: SENTENCE, only: [SCENARIO, …]}, or except. Mistakes go to the Doc.
func ReadList(d *strict.Doc, n *yaml.Node, what string) []Target {
	var ts []Target
	d.List(n, what, func(n *yaml.Node) {
		var t Target
		ok := false
		if n.Kind == yaml.MappingNode && len(n.Content) > 0 && strings.ContainsAny(n.Content[0].Value, "(<>=") {
			d.Fail(n, "a text with a colon and a space in it must be quoted", "a target: found fields, expected a sentence")
			return
		}
		if n.Kind == yaml.MappingNode {
			var only, except []string
			found := d.Fields(n, "a target", strict.Fields{
				"target": func(n *yaml.Node) { t, ok = readSentence(d, n) },
				"only": func(n *yaml.Node) {
					d.List(n, "only", func(n *yaml.Node) { only = append(only, d.Word(n, "only")) })
				},
				"except": func(n *yaml.Node) {
					d.List(n, "except", func(n *yaml.Node) { except = append(except, d.Word(n, "except")) })
				},
			})
			if found["target"] == nil {
				d.Fail(n, "as in {target: rps >= 500, only: [peak]}", "a target needs its sentence")
			}
			if len(only) > 0 && len(except) > 0 {
				d.Fail(n, "keep only:", "a target: found only and except, expected one of them")
			}
			t.Only, t.Except = only, except
		} else {
			t, ok = readSentence(d, n)
		}
		if !ok {
			return
		}
		if i := slices.IndexFunc(ts, func(o Target) bool {
			return o.Text == t.Text && slices.Equal(o.Only, t.Only) && slices.Equal(o.Except, t.Except)
		}); i >= 0 {
			d.Add(&strict.Error{Line: t.Line, Col: t.Col, Msg: fmt.Sprintf("%q stands twice", t.Text), Hint: fmt.Sprintf("first on line %d", ts[i].Line)})
			return
		}
		ts = append(ts, t)
	})
	return ts
}

// readSentence places a sentence's mistake in the file.
func readSentence(d *strict.Doc, n *yaml.Node) (Target, bool) {
	text := d.Word(n, "a target")
	if text == "" {
		return Target{}, false
	}
	p := &parser{text: text, rest: text}
	t, err := p.sentence()
	t.File, t.Line, t.Col = d.File, n.Line, n.Column
	if e, ok := errors.AsType[*strict.Error](err); ok {
		e.Line, e.Col = n.Line, n.Column+e.Col-1
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			e.Col++
		}
		d.Add(e)
		return t, t.Step+t.During != "" // nobody is judged by it: the file is refused
	}
	return t, true
}
