package importer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// exchange is one request of a capture or a collection, with its answer where there
// is one.
type exchange struct {
	name   string
	method string
	url    *url.URL
	header [][2]string
	body   any    // a JSON value
	form   bool   // body is a form's fields
	text   string // a body that is neither
	other  string // a body that cannot be sent, by its media type
	media  string // of a JSON body, when it is not application/json
	signed bool   // it carried a credential
	bare   bool   // it says that it carries none
	page   bool   // it is answered with a page

	status       int
	answer       any         // of a JSON answer
	fields       []pageField // of a page that is the answer
	answerHeader [][2]string
	began        time.Time
	took         time.Duration
	decide       []string
}

var (
	cacheBuster = regexp.MustCompile(`^(_|t|ts|timestamp|cb|nocache)$`)
	digits      = regexp.MustCompile(`^[0-9]{8,}$`)
)

// body is a JSON body with what answers told filled in, and secrets taken out.
func (c *correlation) body(v any, at spot, s *step) any {
	key := at.key
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, k := range keys(v) {
			out[literal(k)] = c.body(v[k], spot{key: k, of: at.of}, s)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = c.body(v[i], at, s)
		}
		return out
	case string:
		if p, ok := c.filled(v, at, s); ok {
			return p
		}
		if v == "{{email}}" || v == "{{password}}" {
			return v // captured put it there
		}
		text := literal(strings.ToValidUTF8(v, ""))
		if ours.MatchString(strings.TrimPrefix(text, unquoted)) {
			return text
		}
		if why, ok := c.unfit(v, strings.Contains(v, gone) || v != "" && secret(key, v)); ok {
			s.decide = append(s.decide, "the field "+key+": "+why)
			return gone
		}
		return c.named(text)
	case json.Number:
		if _, long := distinct(key, v); long {
			if p, ok := c.value(v.String()); ok {
				return unquoted + p
			}
		}
		if p, ok := c.shortID(v.String(), at, s); ok {
			return unquoted + p
		}
		if secretNumber.MatchString(plain(key)) {
			c.secrets++
			s.decide = append(s.decide, wasSecret(key))
			return gone
		}
	}
	return v
}

func wasSecret(field string) string { return "the field " + field + ": " + aSecret }

const aSecret = "its value was a secret"

// unfit is why a value is not copied: it was a secret, or a page told it that cannot be asked.
func (c *correlation) unfit(v string, secret bool) (why string, ok bool) {
	why, lost := c.lost[v]
	if !lost {
		why = aSecret
	}
	if ok = lost || secret; ok {
		c.secrets++
	}
	return why, ok
}

// removed says which fields of a body have no value, for it was a secret, or an earlier
// answer told it.
func removed(body any) []string {
	var places []string
	for _, f := range walk(body) {
		if s, ok := f.value.(string); ok && strings.Contains(s, gone) {
			places = append(places, f.place)
		}
	}
	if len(places) == 0 {
		return nil
	}
	return []string{"a value for " + strings.Join(places, ", ")}
}

// named puts the account's own name in where a text holds it.
func (c *correlation) named(text string) string {
	if c.email == "" {
		return text
	}
	return strings.ReplaceAll(text, c.email, "{{email}}")
}

// ours are placeholders that an importer itself put in.
var ours = regexp.MustCompile(`^\{\{(email|password|uuid|now|today|seq|int [0-9]+ [0-9]+)\}\}$`)

// kindOf is a step's path with parameters for ids, so that requests of one kind look
// alike.
func kindOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p == "{{user_id}}" {
			continue // the account's own
		}
		if strings.Contains(p, "{{") || p == gone || idLike.MatchString(p) {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}

var idLike = regexp.MustCompile(`^([0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27,}|[0-9a-f]{16,}|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]{11,}|\{.*\}|[0-9A-HJKMNP-TV-Z]{26})$`)

// signInOf finds the exchange that signs in: it posts a password and is answered with
// a token, or says in its path what it does. The account's own values take the place
// of what was sent.
func (d *outline) signInOf(all []exchange) int {
	best, score := -1, 0
	for i, x := range all {
		_, password := credential(x.body)
		if x.method != "POST" || password == "" || x.status >= 400 {
			continue
		}
		c := call{method: x.method, path: x.url.Path, id: x.name, body: x.body, answer: x.answer, signed: x.signed, opens: x.opens()}
		if s := c.signsIn(); s > score {
			best, score = i, s
		}
	}
	return best
}

// asCalls are the exchanges as operations of an API, for the profile.
func (d *outline) asCalls(all []exchange, steps []step) (calls []*call) {
	seen := map[string]bool{}
	for i, x := range all {
		path := kindOf(steps[i].path)
		if seen[x.method+path] || x.status >= 400 || x.page {
			continue
		}
		seen[x.method+path] = true
		c := &call{
			method: x.method, path: path, title: steps[i].name, body: d.withoutPlaceholders(steps[i].sent, steps[i].path), form: x.form, answer: x.answer, ok: x.status,
			signed: x.signed, params: map[string]any{}, other: x.other, opens: x.opens(),
		}
		if x.status == http.StatusNotModified {
			c.ok = 0 // of what a browser had kept
		}
		_, query, _ := strings.Cut(steps[i].path, "?")
		for pair := range strings.SplitSeq(query, "&") {
			if key, ok := strings.CutSuffix(pair, "={{token}}"); ok {
				c.query = key + "={{access_token}}"
			}
		}
		c.headers(steps[i].header)
		if x.text != "" {
			c.other = "text"
		}
		calls = append(calls, c)
	}
	return calls
}

// headers are a captured request's, for the profile: what shows the token, and those that the
// body's form does not decide. Conditions, as If-Match, are of one state of one object.
func (c *call) headers(captured [][2]string) {
	for _, h := range captured {
		p := plain(h[0])
		if scheme, ok := strings.CutSuffix(h[1], "{{token}}"); ok {
			c.header = append(c.header, [2]string{h[0], scheme + "{{access_token}}"})
			continue
		}
		if p == "contenttype" || p == "authorization" || p == "range" || strings.HasPrefix(p, "ifmatch") || strings.HasPrefix(p, "ifnone") || strings.HasPrefix(p, "ifmodified") || strings.HasPrefix(p, "ifunmodified") || strings.HasPrefix(p, "ifrange") {
			continue
		}
		text, isText := h[1], false
		if v, ok := sampled(h[1]); ok {
			text, isText = v.(string)
		}
		switch {
		case !isText:
			c.decide = append(c.decide, "the header "+h[0]+", which the capture had, is left out: it takes what an answer told")
		case strings.Contains(text, gone):
			c.decide = append(c.decide, "the header "+h[0]+": its value was a secret")
			fallthrough
		default:
			c.header = append(c.header, [2]string{h[0], text})
		}
	}
}

// withoutPlaceholders is a body for the profile, where nobody fills in what only a
// scenario saves. What is no id but names a kind, as the code of a zone, is good for the next
// request as well; the id of the object that the path ends with is the profile's {{id}}.
func (d *outline) withoutPlaceholders(v any, path string) any {
	path, _, _ = strings.Cut(path, "?")
	_, own := split(path)
	return texts(v, func(text string) any {
		if plain, is := strings.CutSuffix(text, own); is && placeholder.FindString(own) == own && own != "" && (plain == "" || plain == unquoted) {
			return plain + "{{id}}"
		}
		if code, ok := d.codes[text]; ok {
			return code
		}
		if sample, ok := sampled(text); ok {
			return sample
		}
		return gone
	})
}

var profileOwn = regexp.MustCompile(`^\{\{(email|password|uuid|now|today|user_id)\}\}$`)
