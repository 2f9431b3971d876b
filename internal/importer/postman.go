package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// collection is what is read of a Postman collection, format 2.0 and 2.1
// (https://schema.postman.com/).
type collection struct {
	Info struct {
		Name string `json:"name"`
	} `json:"info"`
	Items     []item          `json:"item"`
	Variables []postmanVar    `json:"variable"`
	Auth      *postmanAuth    `json:"auth"`
	Event     json.RawMessage `json:"event"`
}

type item struct {
	Name     string          `json:"name"`
	Items    []item          `json:"item"`
	Request  json.RawMessage `json:"request"`
	Auth     *postmanAuth    `json:"auth"`
	Event    json.RawMessage `json:"event"`
	Response []savedAnswer   `json:"response"`
}

type postmanVar struct {
	Key      string          `json:"key"`
	ID       string          `json:"id"`
	Value    json.RawMessage `json:"value"`
	Type     any             `json:"type"`
	Disabled bool            `json:"disabled"`
}

func (v postmanVar) name() string {
	if v.Key != "" {
		return v.Key
	}
	return v.ID
}

func (v postmanVar) text() string {
	var s string // null leaves it empty
	if json.Unmarshal(v.Value, &s) != nil {
		return string(v.Value) // a number or a flag, as it is written
	}
	return s
}

type postmanAuth struct {
	Type string `json:"type"`
}

type postmanRequest struct {
	Method string          `json:"method"`
	URL    json.RawMessage `json:"url"`
	Header json.RawMessage `json:"header"`
	Auth   *postmanAuth    `json:"auth"`
	Body   *struct {
		Mode       string       `json:"mode"`
		Raw        string       `json:"raw"`
		URLEncoded []postmanVar `json:"urlencoded"`
		FormData   []postmanVar `json:"formdata"`
		GraphQL    struct {
			Query     string `json:"query"`
			Variables string `json:"variables"`
		} `json:"graphql"`
	} `json:"body"`
}

// postmanReader walks the folders of a collection.
type postmanReader struct {
	d       *outline
	vars    map[string]string
	secret  map[string]bool // variables that the collection says are secret
	host    string
	all     []exchange
	refused []exchange // of saved answers
	groups  []string
	scripts int
	unknown map[string]bool
}

// postman reads a collection: each folder of the top is a journey, its requests in
// their order. Scripts are not run.
func postman(source []byte, o Options) (*outline, error) {
	var c collection
	if err := json.Unmarshal(source, &c); err != nil {
		return nil, fmt.Errorf("not a Postman collection: %w", misshapen(err))
	}
	d := &outline{file: o.File, kind: "Postman", name: title(c.Info.Name, o.File), about: "from a Postman collection"}
	r := &postmanReader{d: d, vars: map[string]string{}, secret: map[string]bool{}, unknown: map[string]bool{}}
	for _, v := range c.Variables {
		if !v.Disabled && v.name() != "" {
			r.vars[v.name()], r.secret[v.name()] = v.text(), v.Type == "secret"
		}
	}
	r.count(c.Event)
	for _, it := range c.Items {
		group := stepName(it.Name)
		if len(it.Items) == 0 || group == "" {
			group = d.name
		}
		r.walk(it, group, c.Auth, 0)
	}
	if r.scripts > 0 {
		d.say("%d scripts (pre-request and test) are not run: what they check is yours to write under expect, what they keep under save", r.scripts)
	}
	if len(r.unknown) > 0 {
		d.say("variables without a value in the collection: %s; where one must be sent stands its name in capitals", strings.Join(keys(r.unknown), ", "))
	}
	if len(r.all) == 0 {
		return nil, errors.New("no request in it that can be sent")
	}
	d.url = r.host
	d.base = d.based(o.URL, "", pathsOf(r.all))
	d.captured(r.all, r.refused, r.groups)
	return d, d.some()
}

func (r *postmanReader) count(event json.RawMessage) {
	var events []json.RawMessage
	if json.Unmarshal(event, &events) == nil {
		r.scripts += len(events)
	}
}

func (r *postmanReader) walk(it item, group string, auth *postmanAuth, deep int) {
	r.count(it.Event)
	if it.Auth != nil {
		auth = it.Auth
	}
	if deep < 50 {
		for _, inner := range it.Items {
			r.walk(inner, group, auth, deep+1)
		}
	}
	if len(it.Request) == 0 || string(it.Request) == "null" {
		return
	}
	var q postmanRequest
	if json.Unmarshal(it.Request, &q) != nil {
		var plain string // a request may be its address alone
		if json.Unmarshal(it.Request, &plain) != nil {
			r.d.say("left out: %q, its request cannot be read", cutAt(it.Name, 60))
			return
		}
		q = postmanRequest{URL: it.Request}
	}
	x, why := r.exchange(it, q, auth)
	if why != "" {
		r.d.say("left out: %q, %s", cutAt(it.Name, 60), why)
		return
	}
	r.all = append(r.all, x)
	r.groups = append(r.groups, group)
}

// exchange is a request of the collection; why it cannot be one, else.
func (r *postmanReader) exchange(it item, q postmanRequest, auth *postmanAuth) (x exchange, why string) {
	if q.Auth != nil {
		auth = q.Auth
	}
	x.name, x.method = it.Name, strings.ToUpper(q.Method)
	if x.method == "" {
		x.method = "GET"
	}
	switch x.method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE":
	default:
		return x, "its method is " + cutAt(x.method, 20)
	}
	var u postmanURL
	if json.Unmarshal(q.URL, &u) != nil {
		u = postmanURL{}
		_ = json.Unmarshal(q.URL, &u.Raw) // neither: there is no address, which is said
	}
	address := u.address()
	if address == "" {
		return x, "it has no address that can be read"
	}
	for _, v := range u.Variables {
		if name := v.name(); name != "" {
			value := url.PathEscape(r.fill(v.text(), &x))
			if v.text() == "" {
				value = "1"
				x.decide = append(x.decide, "the path variable "+name)
			}
			address = regexp.MustCompile(`/:`+regexp.QuoteMeta(name)+`(/|\?|$)`).ReplaceAllString(address, "/"+strings.ReplaceAll(value, "$", "$$")+"$1")
		}
	}
	before, _, _ := strings.Cut(address, "?")
	filled := pathVariable.ReplaceAllStringFunc(before, func(found string) string { // of an address that is a text alone
		x.decide = append(x.decide, "the path variable "+found[2:])
		return "/1"
	})
	address = filled + strings.TrimPrefix(address, before)
	if x.url = r.address(address, &x); x.url == nil {
		return x, "its address cannot be read"
	}
	x.signed = auth != nil && auth.Type != "noauth"
	x.bare = auth != nil && auth.Type == "noauth"
	if auth != nil && (auth.Type == "basic" || auth.Type == "digest" || auth.Type == "awsv4" || auth.Type == "apikey") {
		r.d.say("authorization of type %s is not carried over: write its header by hand", auth.Type)
	}
	var headers []postmanVar
	_ = json.Unmarshal(q.Header, &headers) // an old form is one text: its headers are the usual ones
	kind := ""
	for _, h := range headers {
		if h.Disabled {
			continue
		}
		if plain(h.name()) == "contenttype" {
			kind = h.text()
		}
		if plain(h.name()) == "authorization" {
			x.signed = true
		}
		x.header = append(x.header, [2]string{h.name(), r.fill(h.text(), &x)})
	}
	if b := q.Body; b != nil {
		switch b.Mode {
		case "raw":
			if kind == "" {
				kind = "application/json"
			}
			if b.Raw != "" {
				x.read(kind, r.raw(b.Raw, &x), nil)
			}
		case "urlencoded":
			fields := map[string]any{}
			for _, v := range b.URLEncoded {
				if !v.Disabled {
					again(fields, v.name(), r.fill(v.text(), &x))
				}
			}
			x.form, x.body = len(fields) > 0, fields
		case "graphql":
			x.body = map[string]any{"query": r.fill(b.GraphQL.Query, &x), "variables": jsonValue(r.raw(b.GraphQL.Variables, &x))}
		case "formdata", "file":
			x.other = "multipart or a file"
		}
	}
	if x.other != "" {
		return x, "its body is " + x.other
	}
	r.answered(&x, it.Response)
	return x, ""
}

// address takes a request's address apart. A variable at its beginning is the host.
func (r *postmanReader) address(raw string, x *exchange) *url.URL {
	if m := leading.FindStringSubmatch(raw); m != nil {
		if value := r.vars[m[1]]; value == "" {
			raw = raw[len(m[0]):]
		} else {
			raw = value + raw[len(m[0]):]
		}
	}
	raw = r.fill(raw, x)
	if !strings.Contains(raw, "://") && !strings.HasPrefix(raw, "/") {
		if host, _, _ := strings.Cut(raw, "/"); strings.ContainsAny(host, ".:") {
			raw = "http://" + raw
		} else {
			raw = "/" + raw
		}
	}
	// Marks of generated values have braces, which no address has.
	u, err := url.Parse(strings.NewReplacer("{", "%7B", "}", "%7D", " ", "%20").Replace(raw))
	if err != nil {
		return nil
	}
	if u.Host != "" && r.host == "" {
		r.host = u.Scheme + "://" + u.Host
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}
