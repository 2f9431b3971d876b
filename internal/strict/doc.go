package strict

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// Doc is one file being read. Mistakes gather in it; reading goes on after
// each, so that the author sees all of them in one go.
type Doc struct {
	File string
	text []byte
	errs Errors
	warn Errors
	odd  map[*yaml.Node]bool // mappings with a field that nobody knows
	lost []*yaml.Node        // what could not be read
}

// Parse reads the text of one YAML document. The root is nil when the text is
// not YAML at all; the mistake is in the Doc then. Anchors, aliases, merge keys
// and tags are refused wherever they stand: a plan is read by people, and an
// alias can make a small file huge.
func Parse(file string, text []byte) (*Doc, *yaml.Node) {
	d := &Doc{File: file, text: text}
	var docs []yaml.Node
	if err := yaml.Load(text, &docs, yaml.WithAllDocuments()); err != nil {
		d.syntax(err)
		return d, nil
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		d.errs = append(d.errs, &Error{File: file, Line: 1, Col: 1, Msg: "the file is empty"})
		return d, nil
	}
	for _, extra := range docs[1:] {
		d.Fail(&extra, "write one file for each", "a second document begins here, expected one per file")
	}
	root := docs[0].Content[0]
	return d, d.plain(root)
}

// Fail notes a mistake at a node; the hint may be "".
func (d *Doc) Fail(at *yaml.Node, hint, format string, args ...any) {
	d.Add(&Error{Line: at.Line, Col: at.Column, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// Find is where a text stands first in the file, from a line on; false when it stands
// there nowhere, as where YAML has it escaped.
func (d *Doc) Find(from int, text string) (line, col int, ok bool) {
	for i, have := range bytes.Split(d.text, []byte("\n")) {
		if at := bytes.Index(have, []byte(text)); i+1 >= from && at >= 0 {
			return i + 1, utf8.RuneCount(have[:at]) + 1, true
		}
	}
	return 0, 0, false
}

// Warn notes what is read as it was meant, and should be written differently.
func (d *Doc) Warn(at *yaml.Node, format string, args ...any) {
	d.warn = append(d.warn, &Error{File: d.File, Line: at.Line, Col: at.Column, Msg: fmt.Sprintf(format, args...)})
}

// Warnings are what Warn and Rename noted, in the order they were noted.
func (d *Doc) Warnings() Errors { return d.warn }

// Rename gives fields of a mapping that have a new name this name, with a warning
// for each. A mapping that has both keeps the old one, to be refused.
func (d *Doc) Rename(n *yaml.Node, now map[string]string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	has := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		has[n.Content[i].Value] = true
	}
	for i := 0; i < len(n.Content); i += 2 {
		if key := n.Content[i]; now[key.Value] != "" && !has[now[key.Value]] {
			d.Warn(key, "field %q is now called %q", key.Value, now[key.Value])
			key.Value = now[key.Value]
		}
	}
}

// Add notes a mistake with its own place; the file's name is filled in.
func (d *Doc) Add(e *Error) {
	if e.File == "" {
		e.File = d.File
	}
	d.errs = append(d.errs, e)
}

// Failed tells whether there was any mistake yet.
func (d *Doc) Failed() bool { return len(d.errs) > 0 }

// Unread are the parts of the file that no reader could take, as the values of
// unknown fields: what seems to be missing may stand in them.
func (d *Doc) Unread() []*yaml.Node { return d.lost }

// Errors are the mistakes so far, in the order they were noted.
func (d *Doc) Errors() Errors { return d.errs }

// Err is nil, or Errors in the order of their places.
func (d *Doc) Err() error { return d.errs.Err() }

func (d *Doc) syntax(err error) {
	var list []*yaml.LoadError
	if many, ok := errors.AsType[*yaml.LoadErrors](err); ok {
		list = many.Errors
	} else if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		list = []*yaml.LoadError{one}
	} else {
		d.Add(&Error{Msg: err.Error()})
	}
	for _, e := range list {
		hint := ""
		if at, ok := tabAt(d.text, e.Mark.Line); ok {
			d.Add(&Error{Line: e.Mark.Line, Col: at, Msg: "found a tab, expected spaces: YAML is indented with spaces", Hint: "replace every tab with two spaces"})
			continue
		}
		switch {
		case strings.Contains(e.Message, "mapping values are not allowed"):
			hint = "a text with a colon and a space in it must be quoted"
		case strings.Contains(e.Message, "cannot start any token"):
			hint = "indent with spaces, and quote a text that begins with @, ` or %"
		case e.ContextMsg != "" && e.ContextMark.Line > 0:
			hint = fmt.Sprintf("%s that begins at %d:%d", e.ContextMsg, e.ContextMark.Line, e.ContextMark.Column)
		}
		d.Add(&Error{Line: e.Mark.Line, Col: e.Mark.Column, Msg: "not YAML: " + e.Message, Hint: hint})
	}
}

// tabAt finds a tab in the indentation of a line (from 1), and its column.
func tabAt(text []byte, line int) (col int, ok bool) {
	lines := bytes.Split(text, []byte("\n"))
	if line < 1 || line > len(lines) {
		return 0, false
	}
	indent := lines[line-1][:len(lines[line-1])-len(bytes.TrimLeft(lines[line-1], " \t-"))]
	at := bytes.IndexByte(indent, '\t')
	return at + 1, at >= 0
}

// plain refuses what makes YAML more than plain data, and gives the node back.
func (d *Doc) plain(n *yaml.Node) *yaml.Node {
	switch {
	case n.Kind == yaml.AliasNode:
		d.Fail(n, "write it out", "alias *%s, expected a value", n.Value)
		n.Kind, n.Alias, n.Content = yaml.ScalarNode, nil, nil
	case n.Anchor != "":
		d.Fail(n, "write it out where it is needed", "anchor &%s is not used here", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		d.Fail(n, "leave the tag out", "tag %s is not used here", n.Tag)
	}
	for _, c := range n.Content {
		d.plain(c)
	}
	return n
}
