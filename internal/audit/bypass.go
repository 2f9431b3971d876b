package audit

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

//go:embed bypass.yaml
var bypassYAML []byte

// Bypass are ways past a limit that attackers try, as bypass.yaml has and explains them.
type Bypass struct {
	Addresses map[string]string
	Paths     []string
	Methods   []string
	Overrides []string
	Bodies    []string
	Accounts  []string
}

// ReadBypass reads the built-in ways and, unless it is "", those of a file beside them.
func ReadBypass(file string) (*Bypass, error) {
	b := &Bypass{Addresses: map[string]string{}}
	if err := b.read("bypass.yaml", bypassYAML); err != nil || file == "" {
		return b, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ways past a limit: %w", err)
	}
	return b, b.read(file, text)
}

// read adds what a file has, and tells all that is wrong with it.
func (b *Bypass) read(file string, text []byte) error {
	d, root := strict.Parse(file, text)
	if root == nil {
		return d.Err()
	}
	words := func(what string, into *[]string, known ...string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			d.List(n, what, func(n *yaml.Node) {
				word := d.Text(n, what)
				if len(known) > 0 && !slices.Contains(known, word) {
					d.Fail(n, strict.Hint(word, known), "%s: found %q, expected %s", what, word, strings.Join(known, ", "))
				}
				for _, m := range names.FindAllString(word, -1) {
					if !slices.Contains(spelled[what], strings.Trim(m, "{}")) {
						d.Fail(n, strict.Hint(strings.Trim(m, "{}"), spelled[what]), "%s: nobody fills in %s", what, m)
					}
				}
				*into = append(*into, word)
			})
		}
	}
	d.Fields(root, "ways past a limit", strict.Fields{
		"addresses": func(n *yaml.Node) {
			d.Pairs(n, "addresses", func(key, value *yaml.Node) {
				if b.Addresses[key.Value] = d.Text(value, key.Value); !strings.Contains(value.Value, "{{address}}") {
					d.Fail(value, `as in X-Real-IP: "{{address}}"`, "%s: found %q, expected {{address}} in it", key.Value, value.Value)
				}
			})
		},
		"paths":     words("paths", &b.Paths),
		"methods":   words("methods", &b.Methods),
		"overrides": words("overrides", &b.Overrides),
		"bodies":    words("bodies", &b.Bodies, "extra", "form", "json"),
		"accounts":  words("accounts", &b.Accounts),
	})
	return d.Err()
}

var names = regexp.MustCompile(`\{\{[^}]*\}\}`)

// spelled are the names that may be filled in, by list.
var spelled = map[string][]string{
	"paths":    {"path", "folder", "last", "LAST", "coded", "n"},
	"accounts": {"email", "EMAIL", "name", "domain", "n"},
}

// bypass are the ways that this audit tries.
func (t *T) bypass() *Bypass {
	if t.run.o.Bypass != nil {
		return t.run.o.Bypass
	}
	b, err := ReadBypass("")
	if err != nil {
		t.Skip("the built-in ways past a limit cannot be read: %v", err) // held by a test
	}
	return b
}

// forge puts the address of try n into every header that tells one, or into the one named.
func (b *Bypass) forge(q *Request, n int, only string) {
	for name, value := range b.Addresses {
		if only == "" || name == only {
			q.Header.Set(name, strings.ReplaceAll(value, "{{address}}", fmt.Sprintf("203.0.%d.%d", 113+n/250, n%250+1)))
		}
	}
}

// variant is one other spelling of a request.
type variant struct {
	name     string
	change   func(n int, q *Request)
	reshaped bool // its body has another form
}

// known is a spelling that is known to reach the operation: its answers are what they say.
func (v variant) known() variant {
	change := v.change
	v.change = func(n int, q *Request) {
		change(n, q)
		q.Unsure = false
	}
	return v
}

// variants are the other spellings of an operation's requests: those that have nothing
// to change, as a form where a form is sent, are left out. What answers to another path,
// or to another form of the body, may be anything: until a right password is known to
// sign in by it, no limit is held to what it answers.
func (b *Bypass) variants(q Request) (out []variant) {
	for _, p := range b.Paths {
		out = append(out, variant{name: "path " + spell(p, q.Path, 0), change: func(n int, q *Request) { q.Path, q.Unsure = spell(p, q.Path, n), true }})
	}
	for _, m := range b.Methods {
		out = append(out, variant{name: "method " + m, change: func(_ int, q *Request) { q.Method, q.Policy = m, "" }})
	}
	for _, h := range b.Overrides {
		out = append(out, variant{name: "header " + h, change: func(_ int, q *Request) {
			q.Header.Set(h, q.Method)
			q.Policy = "" // by its method it is another operation, or none
			q.Method = map[bool]string{true: http.MethodPut, false: http.MethodPost}[q.Method == http.MethodPost]
		}})
	}
	isForm := strings.Contains(q.Header.Get("Content-Type"), "urlencoded")
	for _, kind := range b.Bodies {
		if len(q.Body) > 0 && (kind == "extra" && !isForm || kind == "form" && !isForm || kind == "json" && isForm) {
			out = append(out, variant{name: "body " + kind, reshaped: kind != "extra", change: func(n int, q *Request) {
				reshape(q, kind, n)
				q.Unsure = true
			}})
		}
	}
	return out
}

// spell fills in a path's other spelling.
func spell(form, path string, n int) string {
	path, query, asked := strings.Cut(path, "?")
	cut := strings.LastIndexByte(path, '/') + 1
	folder, last := path[:cut], path[cut:]
	coded := last
	if last != "" {
		coded = fmt.Sprintf("%%%02x", last[0]) + last[1:]
	}
	out := strings.NewReplacer("{{path}}", path, "{{folder}}", folder, "{{last}}", last, "{{LAST}}", strings.ToUpper(last), "{{coded}}", coded, "{{n}}", fmt.Sprint(n)).Replace(form)
	switch {
	case asked && strings.Contains(out, "?"):
		out += "&" + query
	case asked:
		out += "?" + query
	}
	return out
}

// reshape gives a body another form; what is neither a JSON object nor a form stays.
func reshape(q *Request, kind string, n int) {
	m := map[string]any{}
	if kind == "json" {
		form, err := url.ParseQuery(string(q.Body))
		if err != nil {
			return
		}
		for name := range form {
			m[name] = form.Get(name)
		}
	} else if json.Unmarshal(q.Body, &m) != nil {
		return
	}
	if kind == "form" {
		form := url.Values{}
		for name, v := range m {
			form.Set(name, fmt.Sprint(v))
		}
		q.Body = []byte(form.Encode())
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return
	}
	if kind == "extra" {
		m["extra"] = n
	}
	q.Body, _ = json.Marshal(m) // it came from JSON, or is texts
	q.Header.Set("Content-Type", "application/json")
}

// spellings are an account's other names.
func (b *Bypass) spellings(email string) (out []string) {
	name, domain, _ := strings.Cut(email, "@")
	for n, form := range b.Accounts {
		out = append(out, strings.NewReplacer("{{email}}", email, "{{EMAIL}}", strings.ToUpper(email), "{{name}}", name, "{{domain}}", domain, "{{n}}", fmt.Sprint(n)).Replace(form))
	}
	return out
}

// worded says in words what a spelling of an account is, by its number; -1 is its own. The
// address itself is told to nobody, and shortened all spellings look alike.
func (b *Bypass) worded(i int) string {
	if i < 0 {
		return "as it is"
	}
	switch form := b.Accounts[i]; form {
	case "{{EMAIL}}":
		return "in capitals"
	case " {{email}}":
		return "with a blank before it"
	case "{{email}} ":
		return "with a blank after it"
	case "{{name}}+{{n}}@{{domain}}":
		return "with a plus and a number before the @"
	case "{{email}}.":
		return "with a dot after it"
	default: // of the user's own file
		return fmt.Sprintf("as %q", form)
	}
}

// headers are the names of the headers that tell addresses, sorted.
func (b *Bypass) headers() []string { return slices.Sorted(maps.Keys(b.Addresses)) }
