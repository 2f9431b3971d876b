package profile

import (
	"cmp"
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
	if root == nil || d.Mistaken(root, "a profile") {
		return nil, d.Err()
	}
	rd := &reader{Doc: d, p: &Profile{
		Operations: map[string]Operation{}, Limits: map[string]Limit{}, Values: map[string]any{}, places: map[string]Place{"": {name, root.Line}},
	}}
	rd.read(root)
	if err := d.Err(); err != nil {
		return nil, err
	}
	return rd.p, nil
}

// reader reads one file.
type reader struct {
	*strict.Doc
	p     *Profile
	nodes map[string]*yaml.Node // of the operations' names
	asked []asked
	given map[string]*yaml.Node // fields of answers that have names of their own
}

// asked is a {{name}} that somebody must fill in.
type asked struct {
	name string
	at   *yaml.Node
}

func (r *reader) read(root *yaml.Node) {
	r.nodes, r.given = map[string]*yaml.Node{}, map[string]*yaml.Node{}
	found := r.Fields(root, "a profile", strict.Fields{
		"profile": func(n *yaml.Node) { r.p.Name = r.Word(n, "profile") },
		"about":   func(n *yaml.Node) { r.p.About = r.Text(n, "about") },
		"token": func(n *yaml.Node) {
			r.p.Token = r.Word(n, "token")
			if re, err := regexp.Compile(r.p.Token); err != nil || re.NumSubexp() != 1 {
				r.Fail(n, `as in token=([A-Za-z0-9_-]+)`, "token: want a regular expression with one group")
			}
		},
		"values": func(n *yaml.Node) {
			r.Pairs(n, "values", func(k, v *yaml.Node) {
				if !isName.MatchString(k.Value) {
					r.Fail(k, "as in ward_number", "values: found %q, expected a name of small letters, digits and underscores", k.Value)
				}
				if slices.Contains(filled, k.Value) {
					r.Fail(k, "leave it out, or give yours a name of its own, as in my_"+k.Value, "values: found %q, expected a name that is not filled in for each request", k.Value)
				}
				r.p.Values[k.Value] = r.tree(v)
			})
		},
		"operations": func(n *yaml.Node) {
			r.Pairs(n, "operations", func(k, v *yaml.Node) {
				if known[k.Value] == "" {
					r.Fail(k, cmp.Or(strict.Hint(k.Value, Operations()), "known: "+strings.Join(Operations(), ", ")), "unknown operation %q", k.Value)
				}
				r.nodes[k.Value] = k
				r.p.places["operations."+k.Value] = Place{r.File, k.Line}
				r.p.Operations[k.Value] = r.operation(v)
			})
		},
		"limits": func(n *yaml.Node) {
			r.Pairs(n, "limits", func(k, v *yaml.Node) {
				if !isName.MatchString(k.Value) && !startsWithDigit.MatchString(k.Value) || k.Value == "none" {
					r.Fail(k, "as in login", "limits: found %q, expected a policy's name of small letters, digits and underscores", k.Value)
				}
				l := r.limit(v)
				r.p.Limits[k.Value] = l
				r.place("limits."+k.Value, l.Says, k)
			})
		},
		"promises": r.promises,
		"metrics":  r.metrics,
	})
	for _, must := range []string{"profile", "operations"} {
		if found[must] == nil && root.Kind == yaml.MappingNode {
			r.Fail(root, "", "a profile needs %s", must)
		}
	}
	r.whole()
}

var (
	isName          = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	startsWithDigit = regexp.MustCompile(`^[0-9][a-z0-9_]*$`) // policies alone, as 2fa_verify
)

// filled are the names that probes and scenarios fill in, whatever stands under values:
// that would be passed over, or sent where another is meant.
var filled = []string{
	"email", "password", "new_password", "token", "code", "id", "uuid", "now", "today", "access_token", "refresh_token", "challenge_token",
}

// whole checks what only the whole profile can tell.
func (r *reader) whole() {
	for name, op := range r.p.Operations {
		if _, ok := r.p.Limits[op.Policy]; op.Policy != "" && op.Policy != "none" && !ok {
			r.Fail(r.nodes[name], strict.Hint(op.Policy, slices.Collect(maps.Keys(r.p.Limits))), "%s: its policy %q is not in limits", name, op.Policy)
		}
	}
	r.granting()
	wanted := map[string]bool{}
	for _, a := range r.asked {
		wanted[a.name] = true
	}
	for name, at := range r.given {
		if !wanted[name] {
			r.Fail(at, strict.Hint(name, Fields()), "unknown field %q: a name of your own is read where an operation asks for it as {{%s}}", name, name)
		}
	}
	names := slices.Concat(Placeholders(), Fields(), keys(r.p.Values), keys(r.given))
	for _, a := range r.asked {
		if !slices.Contains(names, a.name) {
			hint := strict.Hint(a.name, names)
			if hint == "" {
				hint = "give it a value under values, or read it from an answer under fields"
			}
			r.Fail(a.at, hint, "nothing fills in {{%s}}", a.name)
		}
	}
}

// granting refuses limits that turn requests away as an operation under them succeeds.
func (r *reader) granting() {
	for _, name := range slices.Sorted(maps.Keys(r.p.Operations)) {
		op := r.p.Operations[name]
		for _, status := range r.p.Limits[op.policy()].Statuses {
			if status != 0 && op.Succeeded(status) { // 0 was no status, and told
				r.Fail(r.nodes[name], "give one of them another status", "%s: a success is answered %d, and so is a refusal by its limit %q (statuses:), so that the two could not be told apart", name, status, op.policy())
			}
		}
	}
}

// place notes where a promise stands: where the user's document says it, else here.
func (r *reader) place(what, says string, at *yaml.Node) {
	r.p.places[what] = Place{r.File, at.Line}
	if file, line, ok := cutPlace(says); ok {
		r.p.places[what] = Place{file, line}
	}
}

// says reads FILE:LINE; the line may be missing.
func (r *reader) says(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = r.Word(n, "says")
		if _, _, ok := cutPlace(*into); strings.Contains(*into, "://") || !ok && *into != "" {
			r.Fail(n, "as in docs/API.md:42", "says: found %q, expected a file of the repository and a line", *into)
		}
	}
}

func cutPlace(says string) (file string, line int, ok bool) {
	file, number, found := says, "", false
	if i := strings.LastIndex(says, ":"); i >= 0 {
		file, number, found = says[:i], says[i+1:], true
	}
	line, err := strconv.Atoi(number)
	if file == "" || found && (err != nil || line < 1) {
		return "", 0, false
	}
	return file, line, true
}

// word reads one of a closed set of texts.
func (r *reader) word(what string, into *string, of ...string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if *into = r.Word(n, what); *into != "" && !slices.Contains(of, *into) {
			r.Fail(n, strict.Hint(*into, of), "%s: found %q", what, *into)
		}
	}
}

// status reads an HTTP status.
func (r *reader) status(what string, into *int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || v < 100 || v > 599 {
			r.Fail(n, "", "%s: found %q, expected a status from 100 to 599", what, n.Value)
			return
		}
		*into = v
	}
}

// header checks a header's name and value.
func (r *reader) header(n *yaml.Node, name, value string) {
	if !isHeader.MatchString(name) {
		r.Fail(n, "", "header %q: a name has letters, digits and dashes", name)
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		r.Fail(n, "", "header %s: found a line break, expected one line", name)
	}
}

var isHeader = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
