package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

// methods are the fields that say what a step sends, and where to.
var methods = map[string]string{
	"get": http.MethodGet, "head": http.MethodHead, "post": http.MethodPost,
	"put": http.MethodPut, "patch": http.MethodPatch, "delete": http.MethodDelete, "options": http.MethodOptions,
}

// stepFields are those of a step, and what makes its body when all of them are
// read: the header that says what it becomes may come after it.
func (r *reader) stepFields(s *Step) (fields strict.Fields, finish func()) {
	var body *yaml.Node
	fields = strict.Fields{
		"name":      func(n *yaml.Node) { s.Name = r.title(n) },
		"header":    func(n *yaml.Node) { s.Header = r.header(n) },
		"body":      func(n *yaml.Node) { body = n },
		"anonymous": func(n *yaml.Node) { s.Anonymous = r.Bool(n, "anonymous") },
		"expect":    func(n *yaml.Node) { s.Expect = r.expect(n) },
		"save":      func(n *yaml.Node) { s.Save = r.save(n) },
		"forget": func(n *yaml.Node) {
			r.List(n, "forget", func(n *yaml.Node) { s.Forget = append(s.Forget, r.Word(n, "forget")) })
		},
		"timeout": func(n *yaml.Node) { s.Timeout = r.within(n, "timeout") },
		"follow": func(n *yaml.Node) {
			if s.Method != "" {
				r.Fail(n, "one request is one step", "found follow beside %s", strings.ToLower(s.Method))
			}
			if s.Method, s.Follow = http.MethodGet, r.Word(n, "follow"); s.Follow != "" && !token.MatchString(s.Follow) {
				r.Fail(n, "as in follow: Location", "follow: found %q, expected a header's name", s.Follow)
			}
		},
	}
	// What other tools call these is no field here; say what is.
	for _, field := range []string{"path", "method", "url"} {
		fields[field] = func(n *yaml.Node) {
			r.Fail(n, "as in get: /api/v1/medications", "found %s, expected the method as the field and the path as its value", field)
		}
	}
	for field, method := range methods {
		fields[field] = func(n *yaml.Node) {
			if s.Method != "" {
				r.Fail(n, "one request is one step", "found %s beside %s", field, strings.ToLower(cmp.Or(map[bool]string{true: "follow"}[s.Follow != ""], s.Method)))
			}
			s.Method, s.Path = method, r.Word(n, field)
			r.path(n, field, s.Path)
		}
	}
	return fields, func() {
		if body != nil {
			s.Body = r.body(body, s.Header)
		}
	}
}

// path finds what would not arrive as it was written: a client that is strict
// refuses or changes it, another sends it as it stands.
func (r *reader) path(n *yaml.Node, field, path string) {
	sent := withoutPlaceholders(path)
	before, _, _ := strings.Cut(sent, "?")
	switch odd := strings.IndexFunc(before, func(c rune) bool { return c != '%' && !pathChar(c) }); {
	case path == "" || strings.Contains(sent, "{{"): // told with the other placeholders
	case !strings.HasPrefix(path, "/"):
		r.Fail(n, "the host comes from the stack", "%s: found %q, expected a path that begins with /", field, path)
	case strings.ContainsFunc(sent, unsendable):
		r.Fail(n, "write %20 for a space", "%s: found %q, expected a path without spaces or control characters", field, path)
	case strings.Contains(sent, "#"):
		r.Fail(n, "write %23 for a #", "%s: found %q: what follows a # is never sent", field, path)
	case badEscape.MatchString(before):
		r.Fail(n, "write %25 for a %", "%s: found %q, expected two hexadecimal digits after a %%", field, path)
	case odd >= 0:
		c, _ := utf8.DecodeRuneInString(before[odd:])
		r.Fail(n, "write "+url.PathEscape(string(c)), "%s: found %q in the path, expected it percent-encoded", field, c)
	}
}

// badEscape is a % that no two hexadecimal digits follow. A placeholder may not be a
// part of an escape.
var badEscape = regexp.MustCompile(`%(?:[^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)`)

// pathChar is what may stand in a path as it is (RFC 3986, 3.3), with the brackets
// that most servers and clients let pass.
func pathChar(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("/-._~!$&'()*+,;=:@[]", c)
}

// title reads a name that a target can stand on: p95(NAME) < 300ms.
func (r *reader) title(n *yaml.Node) string {
	name := r.Word(n, "name")
	if strings.ContainsAny(name, "()") || strings.ContainsFunc(name, unicode.IsControl) || name != strings.Join(strings.Fields(name), " ") {
		r.Fail(n, "targets name it in parentheses", "name: found %q, expected single words without parentheses", name)
	}
	return name
}

// unsendable is what would break the request line.
func unsendable(c rune) bool { return c <= ' ' || c == 0x7f }

// whole finds a step that sends nothing.
func (r *reader) whole(n *yaml.Node, found map[string]*yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for field := range methods {
		if found[field] != nil {
			return
		}
	}
	if found["follow"] != nil {
		return
	}
	r.Fail(n, "as in get: /api/v1/medications", "the step sends nothing, expected one of %s", strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
}

// header reads names and values. A name that stands twice in two spellings is a
// mistake: header names know no case.
func (r *reader) header(n *yaml.Node) map[string]string {
	out := map[string]string{}
	found := r.headers(n)
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		key := n.Content[i]
		value, ok := found[key.Value]
		hint, framing := framingHeaders[strings.ToLower(key.Value)]
		switch {
		case !ok:
		case value == nil:
			r.Fail(n.Content[i+1], "", "%s: found nothing, expected its value", key.Value)
		case framing:
			r.Fail(key, hint, "header: %s says how a request is sent, which is the client's own business", key.Value)
		case strings.EqualFold(key.Value, "Host") && strings.TrimSpace(*value) == "":
			r.Fail(n.Content[i+1], "leave it out to send the server's", "Host: found an empty text")
		default:
			out[key.Value] = *value
		}
	}
	return out
}

// framingHeaders say where a request ends, when its body comes or what becomes of its
// connection (RFC 9112, 6; RFC 9110, 7.6.1 and 10.1.1). One that contradicts what is
// sent is how requests are smuggled, and HTTP/2 knows none of them but Expect.
var framingHeaders = map[string]string{
	"content-length": "it is sent with every body", "transfer-encoding": "bodies are sent with their length",
	"trailer": "", "te": "", "connection": "connections are kept and used again", "keep-alive": "connections are kept and used again",
	"proxy-connection": "", "upgrade": "", "expect": "a body is sent at once",
}

// headers are those that an answer must have: nil when only that it is there counts.
func (r *reader) headers(n *yaml.Node) map[string]*string {
	out := map[string]*string{}
	first := map[string]string{}
	r.Pairs(n, "header", func(key, value *yaml.Node) {
		name := strings.ToLower(key.Value)
		switch other := first[name]; {
		case !token.MatchString(key.Value):
			r.Fail(key, "", "header: found %q, expected a header's name", key.Value)
			return
		case other != "":
			r.Fail(key, "names of headers know no case", "header: found %q beside %q", key.Value, other)
			return
		}
		first[name] = key.Value
		if value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
			out[key.Value] = nil
			return
		}
		v := r.Text(value, key.Value)
		if strings.ContainsAny(v, "\r\n\x00") {
			r.Fail(value, "", "%s: found %q, expected one line", key.Value, v)
			return
		}
		out[key.Value] = &v
	})
	return out
}

// token is a header's name (RFC 9110, 5.6.2).
var token = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

func (r *reader) expect(n *yaml.Node) (e Expect) {
	r.Fields(n, "expect", strict.Fields{
		"status": func(n *yaml.Node) { e.Status = r.statuses(n) },
		"header": func(n *yaml.Node) { e.Header = r.headers(n) },
		"body":   func(n *yaml.Node) { e.Body = r.Word(n, "body") },
		"max":    func(n *yaml.Node) { e.Max = r.within(n, "max") },
		"json": func(n *yaml.Node) {
			e.JSON = map[string]*string{}
			r.Pairs(n, "json", func(key, value *yaml.Node) {
				r.jsonPath(key, key.Value, false)
				e.JSON[key.Value] = r.wantJSON(value, key.Value)
			})
		},
	})
	return e
}

// statuses reads one status or a list of them.
func (r *reader) statuses(n *yaml.Node) (codes []int) {
	one := func(n *yaml.Node) {
		code := r.Int(n, "status", 100)
		if code > 599 {
			r.Fail(n, "", "status: found %q, expected 100 to 599", n.Value)
		}
		codes = append(codes, code)
	}
	if n.Kind == yaml.SequenceNode {
		r.List(n, "status", one)
	} else {
		one(n)
	}
	return codes
}

// variable is the name of a saved value.
var variable = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

func (r *reader) save(n *yaml.Node) map[string]string {
	const forms = "json:PATH, header:NAME, cookie:NAME or regexp:PATTERN"
	out := map[string]string{}
	r.Pairs(n, "save", func(key, value *yaml.Node) {
		switch {
		case !variable.MatchString(key.Value):
			r.Fail(key, "", "save: found %q, expected a name of small letters, digits and _", key.Value)
			r.misnamed = append(r.misnamed, key.Value)
			return
		case slices.Contains(generators, key.Value):
			r.Fail(key, "", "save: %q is taken: {{%s}} makes a value itself", key.Value, key.Value)
			return
		case key.Value == "email" || key.Value == "password":
			r.Fail(key, "", "save: %q is taken: {{%s}} is the account's", key.Value, key.Value)
			return
		}
		from := r.Word(value, key.Value)
		out[key.Value] = from // known, even where it cannot be saved like this
		kind, rest, ok := strings.Cut(from, ":")
		if from == "" {
			return
		}
		if !ok || rest == "" {
			r.Fail(value, "as in json:items.0.id", "%s: found %q, expected %s", key.Value, from, forms)
			return
		}
		expression := ""
		switch kind {
		case "json":
			r.jsonPath(value, rest, true)
		case "header":
			if rest, expression, _ = strings.Cut(rest, " regexp:"); !token.MatchString(rest) {
				r.Fail(value, "as in header:Location, or header:Location regexp:/orders/(.*)", "%s: found %q, expected a header's name after header:", key.Value, from)
			}
		case "cookie":
			if !token.MatchString(rest) {
				r.Fail(value, "as in cookie:sid", "%s: found %q, expected a cookie's name after cookie:", key.Value, from)
			}
		case "regexp":
			expression = rest
		default:
			r.Fail(value, strict.Hint(kind, []string{"json", "header", "cookie", "regexp"}), "%s: found %q, expected %s", key.Value, from, forms)
			return
		}
		if _, err := regexp.Compile(expression); err != nil {
			r.Fail(value, "", "%s: %v", key.Value, err)
		}
	})
	return out
}

// jsonPath finds a way into an answer that leads nowhere as it is written; any
// allows * for one element of many.
func (r *reader) jsonPath(n *yaml.Node, path string, any bool) {
	fixed := strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
	fixed = strings.Trim(emptyPart.ReplaceAllString(bracket.ReplaceAllString(fixed, ".$1"), "."), ".")
	switch {
	case fixed != path:
		hint := "as in items.0.id"
		if fixed != "" {
			hint = fmt.Sprintf("write %s", fixed)
		}
		r.Fail(n, hint, "json: found %q, expected names and numbers with a dot between each", path)
	case !any && slices.Contains(strings.Split(path, "."), "*"):
		r.Fail(n, "write the element's number", "json: found %q, expected one element and not any", path)
	}
}

var (
	bracket   = regexp.MustCompile(`\[["']?([^]"']*)["']?\]`)
	emptyPart = regexp.MustCompile(`\.\.+`)
)
