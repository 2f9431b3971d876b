package importer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi/datamodel"
	yaml "go.yaml.in/yaml/v4"
)

// spec is a specification being read, of whichever version.
type spec struct {
	d      *outline
	file   string
	base   string // what stands before every path
	root   *yaml.Node
	keys   map[string]apiKey // security schemes that are a header or a parameter, by name
	bearer map[string]bool   // those that are a token or a session
	basic  map[string]bool
	calls  []*call
	limits []told429
}

type apiKey struct{ in, name string }

// openAPI reads a specification: OpenAPI 3.0 and 3.1, or Swagger 2.0.
func openAPI(source []byte, o Options) (d *outline, err error) {
	defer func() { // a library that breaks on a specification is that specification's error, not this program's end
		if r := recover(); r != nil {
			d, err = nil, fmt.Errorf("the specification could not be read: %v", r)
		}
	}()
	doc, err := libopenapi.NewDocumentWithConfiguration(source, &datamodel.DocumentConfiguration{
		IgnorePolymorphicCircularReferences: true, IgnoreArrayCircularReferences: true, SkipExternalRefResolution: true,
	})
	if err != nil {
		return nil, err
	}
	defer doc.Release()
	s := &spec{
		d: &outline{file: o.File, kind: "OpenAPI " + doc.GetVersion()}, file: o.File,
		keys: map[string]apiKey{}, bearer: map[string]bool{}, basic: map[string]bool{},
	}
	var root yaml.Node
	if yaml.Load(source, &root) == nil && len(root.Content) > 0 {
		s.root = root.Content[0]
	}
	if doc.GetSpecInfo() != nil && doc.GetSpecInfo().SpecFormat == datamodel.OAS2 {
		s.d.kind = "Swagger " + doc.GetVersion()
		err = s.swagger(doc)
	} else {
		err = s.three(doc)
	}
	if err != nil {
		return nil, err
	}
	if len(s.calls) == 0 {
		return nil, errors.New("it has no operation")
	}
	exampled(s.calls)
	var paths []string
	for _, c := range s.calls {
		c.path = s.base + c.path
		paths = append(paths, sendable(c.path))
	}
	base := s.d.based(o.URL, s.base, paths)
	if s.base != "" && s.d.url == "" && o.URL == "" {
		s.d.say("the document names no host: the paths of the files have its %s, so that the URL of the commands is without it", s.base)
	}
	for _, c := range s.calls {
		c.path = without(c.path, base)
		c.body, c.answer = generated(c.body), generated(c.answer)
		for name, v := range c.params {
			c.params[name] = generated(v)
		}
	}
	s.d.name = title(s.d.name, o.File)
	s.d.about = "from " + s.d.kind
	shared(s.calls)
	identify(s.calls)
	s.documented()
	s.d.plan(s.calls)
	if len(s.d.journeys) == 0 {
		return nil, errors.New("it has no operation that a scenario could send without harm")
	}
	return s.d, nil
}

// line is where a path within the specification stands: its last key's line, 0 when
// it cannot be told, as behind a reference.
func (s *spec) line(path ...string) int {
	n, line := s.root, 0
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return line
		}
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next, line = n.Content[i+1], n.Content[i].Line
			}
		}
		n = next
	}
	return line
}

func (s *spec) says(path ...string) string {
	if line := s.line(path...); line > 0 {
		return s.file + ":" + strconv.Itoa(line)
	}
	return s.file
}

// server takes the address of a server apart: where it answers, and what stands
// before every path.
func (s *spec) server(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	s.base = strings.TrimRight(u.Path, "/")
	if s.base != "" && !strings.HasPrefix(s.base, "/") {
		s.base = "/" + s.base
	}
	if (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		s.d.url = u.Scheme + "://" + u.Host
	}
}

// secure says how a call proves who sends it, by the names of the schemes that it
// asks for.
func (s *spec) secure(c *call, schemes []string) {
	for _, name := range schemes {
		switch {
		case s.keys[name].in == "header" && isHeader.MatchString(s.keys[name].name) && !strings.EqualFold(s.keys[name].name, "Authorization"):
			c.header = append(c.header, [2]string{s.keys[name].name, "{{password}}"})
			c.signed = true
			s.d.say("%s is sent as the header %s: put the keys into the column password of accounts.csv", name, s.keys[name].name)
		case s.keys[name].in == "query":
			c.signed = true
			c.decide = append(c.decide, "its key travels as the parameter "+s.keys[name].name)
		case s.basic[name]:
			c.signed = true
			s.d.say("%s is HTTP Basic: its header must be written by hand", name)
		default:
			c.signed = true
		}
	}
}

// chosen picks the media type that is sent: JSON, else a form, else none.
func chosen(types []string) (json, form, other string) {
	for _, t := range types {
		switch name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(t)), ";"); {
		case json == "" && (name == "application/json" || strings.HasSuffix(name, "+json") || name == "*/*" || name == "application/*" || name == "text/json"):
			json = t
		case form == "" && name == formType:
			form = t
		case other == "":
			other = t
		}
	}
	return json, form, other
}

// success is the first status of 2xx, the usual ones before others; 0 when none is
// documented.
func success(codes []string) int {
	for _, want := range []string{"200", "201", "204", "202"} {
		if slices.Contains(codes, want) {
			n, _ := strconv.Atoi(want) // digits
			return n
		}
	}
	for _, c := range codes {
		if n, err := strconv.Atoi(c); err == nil && n/100 == 2 && n < 300 {
			return n
		}
	}
	return 0
}

// refusals are the documented statuses of 400 and above.
func refusals(codes []string) (out []int) {
	for _, c := range codes {
		if n, err := strconv.Atoi(c); err == nil && n >= 400 && n < 600 {
			out = append(out, n)
		}
	}
	return out
}

var (
	wrongText  = regexp.MustCompile(`(?i)\b(wrong|invalid|incorrect|bad|unknown)\b.*\b(credentials?|passwords?|secrets?|logins?|users?|accounts?|e-?mail)\b|\b(credentials?|passwords?|secrets?|logins?)\b.*\b(wrong|invalid|incorrect|not match)|unauthori[sz]ed`)
	limitText  = regexp.MustCompile(`(?i)\b(attempts?|tries|failed|failures?|requests?|sign-?ins?|log-?ins?|locked|blocked)\b`)
	lockedText = regexp.MustCompile(`(?i)\b(?:too many|locked)\b`)
)

// wrong is the documented status of a wrong credential: the one that is described as
// such, else the likeliest; 0 = none is documented.
func (c *call) wrong() int {
	if status := c.described(); status != 0 {
		return status
	}
	for _, likely := range []int{401, 403, 400} {
		if slices.Contains(c.refuse, likely) && !limits(itoa(likely), c.told[likely]) {
			return likely
		}
	}
	return 0
}

// described is the status that is described as the one of a wrong credential; 0 = none is.
func (c *call) described() int {
	for _, status := range c.refuse {
		if status != http.StatusTooManyRequests && wrongText.MatchString(c.told[status]) && !readLimit(c.told[status]).said() {
			return status
		}
	}
	return 0
}

// limits tells whether a documented answer is a refusal by a limit: 429 always, another
// status when its description has a limit's numbers, or speaks of a lock.
func limits(code, description string) bool {
	switch code {
	case "429":
		return true
	case "400", "403", "423", "503":
		return limitText.MatchString(description) && (readLimit(description).said() || lockedText.MatchString(description))
	}
	return false
}
