package profile

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

//go:embed library/*.yaml
var library embed.FS

// Names are the built-in profiles, sorted.
func Names() []string {
	entries, _ := fs.Glob(library, "library/*.yaml") // the pattern is well formed
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(path.Base(e), ".yaml")
	}
	return names
}

// Open reads a built-in profile by its name, or a file by its path. A name that
// is neither is an error with the nearest right spelling.
func Open(name string) (*Profile, error) {
	if !strings.ContainsAny(name, `./\`) {
		text, err := library.ReadFile("library/" + name + ".yaml")
		if err != nil {
			return nil, &strict.Error{Msg: fmt.Sprintf("no profile %q", name), Hint: strict.Hint(name, Names())}
		}
		return Read(strings.NewReader(string(text)), name+".yaml")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	defer f.Close()
	return Read(f, name)
}

// Clinic is the profile of the reference API.
func Clinic() *Profile {
	p, err := Open("clinic")
	if err != nil {
		panic("profiles: the built-in clinic profile cannot be read: " + err.Error())
	}
	return p
}

// Read reads a profile; name is the file's, for messages. All mistakes are given
// at once, as strict.Errors with their places.
func Read(r io.Reader, name string) (*Profile, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read profile %s: %w", name, err)
	}
	d, root := strict.Parse(name, text)
	if root == nil {
		return nil, d.Err()
	}
	p := &Profile{Operations: map[string]Operation{}, Limits: map[string]Limit{}, Values: map[string]any{}}
	places := map[string]*yaml.Node{}
	found := d.Fields(root, "a profile", strict.Fields{
		"profile": func(n *yaml.Node) { p.Name = d.Word(n, "profile") },
		"about":   func(n *yaml.Node) { p.About = d.Text(n, "about") },
		"token": func(n *yaml.Node) {
			p.Token = d.Word(n, "token")
			if re, err := regexp.Compile(p.Token); err != nil || re.NumSubexp() != 1 {
				d.Fail(n, `as in token=([A-Za-z0-9_-]+)`, "token: want a regular expression with one group")
			}
		},
		"values": func(n *yaml.Node) {
			d.Pairs(n, "values", func(k, v *yaml.Node) { p.Values[k.Value] = tree(d, v) })
		},
		"operations": func(n *yaml.Node) {
			d.Pairs(n, "operations", func(k, v *yaml.Node) {
				if known[k.Value] == "" {
					d.Fail(k, strict.Hint(k.Value, Operations()), "unknown operation %q", k.Value)
				}
				places[k.Value] = k
				p.Operations[k.Value] = operation(d, v)
			})
		},
		"limits": func(n *yaml.Node) {
			d.Pairs(n, "limits", func(k, v *yaml.Node) { p.Limits[k.Value] = limit(d, v) })
		},
	})
	for _, must := range []string{"profile", "operations"} {
		if found[must] == nil && root.Kind == yaml.MappingNode {
			d.Fail(root, "", "a profile needs %s", must)
		}
	}
	for name, op := range p.Operations {
		if _, ok := p.Limits[op.Policy]; op.Policy != "" && op.Policy != "none" && !ok {
			d.Fail(places[name], strict.Hint(op.Policy, slices.Collect(maps.Keys(p.Limits))), "%s: its policy %q is not in limits", name, op.Policy)
		}
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

func operation(d *strict.Doc, n *yaml.Node) Operation {
	var o Operation
	found := d.Fields(n, "an operation", strict.Fields{
		"method": func(n *yaml.Node) {
			o.Method = d.Word(n, "method")
			if o.Method != strings.ToUpper(o.Method) {
				d.Fail(n, fmt.Sprintf("did you mean %q?", strings.ToUpper(o.Method)), "method: found %q, expected capitals", o.Method)
			}
		},
		"path": func(n *yaml.Node) {
			if o.Path = d.Word(n, "path"); o.Path != "" && !strings.HasPrefix(o.Path, "/") {
				d.Fail(n, "", "path: found %q, expected one that begins with /", o.Path)
			}
		},
		"body": func(n *yaml.Node) {
			o.Body = map[string]any{}
			d.Pairs(n, "body", func(k, v *yaml.Node) { o.Body[k.Value] = tree(d, v) })
		},
		"header": func(n *yaml.Node) {
			o.Header = map[string]string{}
			d.Pairs(n, "header", func(k, v *yaml.Node) {
				if o.Header[k.Value] = d.Text(v, k.Value); strings.ContainsAny(k.Value+o.Header[k.Value], "\r\n\x00") {
					d.Fail(v, "", "header %s: found a line break, expected one line", k.Value)
				}
			})
		},
		"form":    func(n *yaml.Node) { o.Form = d.Bool(n, "form") },
		"ok":      func(n *yaml.Node) { o.OK = d.Int(n, "ok", 100) },
		"refused": func(n *yaml.Node) { o.Refuse = d.Int(n, "refused", 100) },
		"policy":  func(n *yaml.Node) { o.Policy = d.Word(n, "policy") },
		"fields": func(n *yaml.Node) {
			o.Fields = map[string]string{}
			d.Pairs(n, "fields", func(k, v *yaml.Node) {
				if !slices.Contains(fields, k.Value) {
					d.Fail(k, strict.Hint(k.Value, fields), "unknown field %q", k.Value)
				}
				o.Fields[k.Value] = d.Word(v, "a field's place")
			})
		},
	})
	if found["method"] == nil && n.Kind == yaml.MappingNode {
		o.Method = "GET"
	}
	if found["path"] == nil && n.Kind == yaml.MappingNode {
		d.Fail(n, "as in path: /api/v1/auth/login", "an operation needs its path")
	}
	if o.Form && o.Body == nil {
		d.Fail(n, "", "a form needs a body")
	}
	return o
}

func limit(d *strict.Doc, n *yaml.Node) Limit {
	l := Limit{Counts: Requests}
	word := func(what string, into *string, of ...string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if *into = d.Word(n, what); !slices.Contains(of, *into) {
				d.Fail(n, strict.Hint(*into, of), "%s: found %q", what, *into)
			}
		}
	}
	found := d.Fields(n, "a limit", strict.Fields{
		"limit":   func(n *yaml.Node) { l.Limit = d.Int(n, "limit", 1) },
		"window":  func(n *yaml.Node) { l.Window = d.Duration(n, "window") },
		"lock":    func(n *yaml.Node) { l.Lock = d.Duration(n, "lock") },
		"counts":  word("counts", &l.Counts, Failures, Requests),
		"by":      word("by", &l.By, "address", "user", "both"),
		"account": func(n *yaml.Node) { l.Account = d.Int(n, "account", 0) },
	})
	for _, must := range []string{"limit", "window"} {
		if found[must] == nil && n.Kind == yaml.MappingNode {
			d.Fail(n, "as in {limit: 5, window: 300s}", "a limit needs %s", must)
		}
	}
	return l
}

// tree is a YAML value as JSON holds it.
func tree(d *strict.Doc, n *yaml.Node) any {
	switch n.Kind {
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = tree(d, c)
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		d.Pairs(n, "a body", func(k, v *yaml.Node) { out[k.Value] = tree(d, v) })
		return out
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return d.Bool(n, "a flag")
	case "!!int":
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			d.Fail(n, "quote it if it is text", "found %q, expected a decimal number", n.Value)
		}
		return v
	case "!!float":
		v, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			d.Fail(n, "quote it if it is text", "found %q, expected a number", n.Value)
		}
		return v
	}
	return n.Value
}
