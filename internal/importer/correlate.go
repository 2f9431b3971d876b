package importer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// correlation finds values of answers that later requests send back, and secrets
// that must not be copied.
type correlation struct {
	d       *outline
	steps   []step
	told    []map[string]origin // by exchange: values that its answer told first
	saved   map[string]string   // values → the names that they are saved under
	names   map[string]bool
	sent    map[string]bool // values that were sent before any answer told them
	short   map[string][]toldID
	secrets int
	email   string            // the account's, as it was captured; "" = unknown
	signIn  int               // the exchange that signs in; -1 = none
	own     map[string]string // by where its answer tells them: the account's own name for its id
	shown   shown
	basic   []string          // keys of HTTP Basic
	lost    map[string]string // what a page tells and cannot be saved: why
}

// origin is where an answer told a value.
type origin struct{ from, key string }

const gone = "removed-by-vitals-init"

// correlate turns exchanges into steps, in their order: what an answer told and a later
// request sends is saved there and filled in here; what is secret is taken out. signIn is
// the exchange that signs in, -1 when none does, and email the account that it names.
func (d *outline) correlate(all []exchange, signIn int, email string) []step {
	c := &correlation{d: d, email: email, signIn: signIn, saved: map[string]string{}, names: map[string]bool{}, sent: map[string]bool{}, short: map[string][]toldID{}, own: map[string]string{}}
	c.shown, c.lost = d.shown, d.lost
	d.codes = map[string]any{}
	if signIn >= 0 && (c.shown.from != "" || c.shown.cookies) {
		if id, ok := person(all[signIn].answer, strings.TrimPrefix(c.shown.from, "json:")); ok {
			c.own["json:"+id] = "user_id"
		}
	}
	if email != "" {
		c.sent[email] = true // it is the user's own: no answer had to tell it
	}
	names := unique{"sign in": true, "sign out": true, "refresh": true}
	for i := range all {
		x := &all[i]
		c.steps = append(c.steps, c.step(x, names))
		c.learn(x)
	}
	d.secrets = c.secrets
	return c.steps
}

// learn notes what an answer told: texts and numbers long enough to be no chance.
func (c *correlation) learn(x *exchange) {
	told := map[string]origin{}
	for _, f := range walk(x.answer) {
		v, ok := distinct(f.key, f.value)
		short, isShort := isShortID(f.key, f.value)
		switch _, known := c.find(v); {
		case ok && !c.sent[v]:
			if !known && (told[v].from == "" || isID(f.key) || !isID(told[v].key)) {
				told[v] = origin{"json:" + f.place, f.key}
			}
		case isShort:
			c.learnShort(short, f.key, "json:"+f.place)
		case ok && v != c.email && isID(f.key): // it was sent as something else before
			c.learnShort(v, f.key, "json:"+f.place)
		}
	}
	for _, f := range x.fields {
		if _, known := c.find(f.value); f.from != "" && !known && !c.sent[f.value] {
			told[f.value] = origin{f.from, f.name}
		}
	}
	for _, h := range x.answerHeader {
		name := strings.ToLower(h[0])
		if cookie, v, ok := forgeryCookie(h); ok && !c.sent[v] {
			told[v] = origin{"cookie:" + cookie, cookie}
		}
		if !slices.Contains([]string{"etag", "location", "x-csrf-token", "x-xsrf-token", "x-request-token"}, name) || !isHeader.MatchString(h[0]) {
			continue
		}
		if v, ok := distinct(name+"id", h[1]); ok && !c.sent[v] {
			told[v] = origin{"header:" + h[0], name}
		}
	}
	c.told = append(c.told, told)
}

// distinct is a value that, seen again, is the same thing and no chance.
func distinct(key string, v any) (string, bool) {
	switch v := v.(type) {
	case string:
		p := plain(key)
		id := strings.HasSuffix(p, "id") || strings.Contains(p, "token") || strings.Contains(p, "key") || strings.Contains(p, "cursor") || p == "ref" || p == "slug"
		return v, len(v) >= 8 && len(v) < 500 && !strings.ContainsAny(v, " \t\r\n") || id && len(v) >= 3 && len(v) < 500
	case json.Number:
		p := plain(key)
		return v.String(), len(v.String()) >= 5 || strings.HasSuffix(p, "id") && len(v.String()) >= 3
	}
	return "", false
}

// find is the exchange whose answer told a value.
func (c *correlation) find(v string) (int, bool) {
	for i := len(c.told) - 1; i >= 0; i-- {
		if _, ok := c.told[i][v]; ok {
			return i, true
		}
	}
	return 0, false
}

// value is what to send instead of a value: a placeholder when an earlier answer told
// it. Its first sending makes the earlier step save it.
func (c *correlation) value(v string) (string, bool) {
	if v == c.shown.token && v != "" && len(c.steps) > c.signIn {
		return "{{token}}", true // the sign-in saves it
	}
	i, ok := c.find(v)
	if !ok {
		if _, lost := c.lost[v]; !lost { // a later page may tell it where it can be saved
			c.sent[v] = true
		}
		return "", false
	}
	return c.saveAs(v, i, c.told[i][v]), true
}

// saveAs is the placeholder of what exchange i told; v is how it is known that it was saved.
func (c *correlation) saveAs(v string, i int, o origin) string {
	name, known := c.saved[v]
	if !known {
		base := variable(o.key)
		if base == "id" {
			base = variable(singular(c.owner(i, o.from)) + "_id")
		}
		if own, ok := c.own[o.from]; ok && i == c.signIn {
			base = own
		}
		name = base
		for n := 2; c.names[name]; n++ {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		c.names[name], c.saved[v] = true, name
		if c.steps[i].save == nil {
			c.steps[i].save = map[string]string{}
		}
		c.steps[i].save[name] = o.from
	}
	return "{{" + name + "}}"
}

// owner is what an id belongs to: the object that holds it, else what the request
// was about.
func (c *correlation) owner(i int, from string) string {
	parts := strings.Split(from, ".")
	for n := len(parts) - 2; n > 0; n-- {
		if parts[n] != "0" && !slices.Contains([]string{"data", "items", "results", "record"}, parts[n]) {
			return parts[n]
		}
	}
	return noun(kindOf(c.steps[i].path))
}

// step is an exchange as a request of the scenario.
func (c *correlation) step(x *exchange, names unique) step {
	s := step{method: x.method, anonymous: x.bare || !x.signed, decide: x.decide}
	s.path = c.path(x.url, &s)
	if _, last := split(x.url.Path); x.method == "DELETE" && idLike.MatchString(last) && strings.HasSuffix(trimmed(strings.SplitN(s.path, "?", 2)[0]), "/"+last) {
		s.decide = append(s.decide, "which object it deletes: no answer told "+last+", so that it is the same one each time")
	}
	for _, h := range x.header {
		switch p := plain(h[0]); {
		case !isHeader.MatchString(h[0]) || dropped[p] || strings.HasPrefix(p, "sec") || strings.HasPrefix(h[0], ":"):
			continue
		case p == "authorization" || p == "cookie" || p == "proxyauthorization":
			c.secrets++ // the account's own token is sent instead, as a bearer token
			if v, ok := c.carried(h); ok && p == "authorization" && !strings.EqualFold(v, "Bearer {{token}}") {
				s.header = append(s.header, [2]string{"Authorization", v})
			}
		default:
			if v, ok := c.carried(h); ok {
				c.secrets++
				s.header = append(s.header, [2]string{h[0], v})
				continue
			}
			if v, ok := c.value(h[1]); ok {
				s.header = append(s.header, [2]string{h[0], v})
				continue
			}
			v := h[1]
			if strings.Contains(p, "requestid") || strings.Contains(p, "idempotency") || strings.Contains(p, "correlationid") {
				v = "{{uuid}}"
			}
			if !ours.MatchString(v) {
				v = c.named(literal(v))
			}
			if why, ok := c.unfit(h[1], strings.Contains(v, gone) || !ours.MatchString(v) && (secretHeader.MatchString(p) || secret(h[0], h[1]))); ok {
				v = gone
				s.decide = append(s.decide, "the header "+h[0]+": "+why)
			}
			if strings.ContainsFunc(asSplit.Replace(v), func(r rune) bool { return r < ' ' || r > '~' }) {
				continue
			}
			s.header = append(s.header, [2]string{h[0], v})
		}
	}
	s.body = c.body(x.body, spot{of: about(x.url)}, &s)
	s.sent = s.body
	if x.media != "" && isHeaderText.MatchString(x.media) {
		s.header = append(s.header, [2]string{"Content-Type", x.media})
	}
	switch {
	case x.form:
		s.text, s.body = formText(s.body), nil
		s.header = append(s.header, [2]string{"Content-Type", formType})
	case x.text != "":
		if s.text = literal(x.text); secretText(x.text) {
			s.text = gone
		}
		if strings.Contains(s.text, gone) {
			c.secrets++
			s.decide = append(s.decide, "the body: something in it was a secret")
		}
		if len(s.text) > 16<<10 {
			s.text = cutAt(s.text, 16<<10)
			s.decide = append(s.decide, "the body was cut at 16 kB")
		}
	}
	if x.status/100 == 2 || x.status/100 == 3 && x.status != http.StatusNotModified { // that one was asked for by what a browser had kept
		s.status = []int{x.status}
	}
	call := call{method: x.method, path: strings.ReplaceAll(kindOf(s.path), "{{user_id}}", "{id}")}
	call.kind = call.guess()
	s.name = names.name(stepName(x.name), stepName(call.said()))
	return s
}

var isHeaderText = regexp.MustCompile(`^[a-z0-9.+/-]+$`)

// dropped are headers that the engine or the connection writes itself.
var dropped = func() map[string]bool {
	m := map[string]bool{}
	for _, h := range []string{"Host", "Connection", "Content-Length", "Content-Type", "Accept-Encoding", "User-Agent", "Referer", "Origin", "Accept-Language", "Pragma", "Cache-Control",
		"DNT", "TE", "Upgrade-Insecure-Requests", "Priority", "If-None-Match", "If-Modified-Since", "Transfer-Encoding", "Postman-Token", "Accept", "Expect", "Keep-Alive", "X-Requested-With"} {
		m[plain(h)] = true
	}
	return m
}()

// path is a request's path and query with what answers told filled in.
func (c *correlation) path(u *url.URL, s *step) string {
	parts := strings.Split(u.EscapedPath(), "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil || part == "" || i <= c.d.base {
			continue
		}
		if v, ok := c.filled(text, spot{of: parts[max(i-1, 0)], path: i > 1}, s); ok && i > 1 {
			parts[i] = v
		} else if why, ok := c.unfit(text, strings.Contains(text, gone) || tokenLike.MatchString(text) || random(text)); ok {
			parts[i] = gone
			s.decide = append(s.decide, "a part of the path: "+why)
		} else if parts[i] = literal(part); marked.MatchString(text) {
			parts[i] = placed(text, url.PathEscape)
		}
	}
	path := without(strings.Join(parts, "/"), c.d.base)
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + c.query(u, s)
	}
	return sendable(path)
}
