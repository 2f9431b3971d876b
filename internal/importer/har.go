package importer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// archive is what is read of a HAR 1.2 file (http://www.softwareishard.com/blog/har-12-spec/).
type archive struct {
	Log struct {
		Entries []entry `json:"entries"`
	} `json:"log"`
}

// entry is one request of a capture, with its answer.
type entry struct {
	Started string  `json:"startedDateTime"`
	Time    float64 `json:"time"` // milliseconds
	Type    string  `json:"_resourceType"`
	Request struct {
		Method  string `json:"method"`
		URL     string `json:"url"`
		Headers []pair `json:"headers"`
		Post    struct {
			Mime   string `json:"mimeType"`
			Text   string `json:"text"`
			Params []pair `json:"params"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int    `json:"status"`
		Headers []pair `json:"headers"`
		Content struct {
			Mime     string `json:"mimeType"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

var staticFile = regexp.MustCompile(`(?i)\.(js|mjs|css|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|mp4|webm|mp3|wasm|html?|txt|xml|webmanifest)$`)

// har reads a capture: the requests of one host in their order, think times from the
// gaps between them.
func har(source []byte, o Options) (*outline, error) {
	var a archive
	if err := json.Unmarshal(source, &a); err != nil {
		return nil, fmt.Errorf("not HAR: %w", misshapen(err))
	}
	return a.outline("", o)
}

// outline makes the outline of a capture; own is the base path of the API, "" = unknown.
func (a archive) outline(own string, o Options) (*outline, error) {
	d := &outline{file: o.File, kind: "HAR", about: "from a capture"}
	var all, refused []exchange
	hosts := map[string]int{}
	left := tally{}
	for _, e := range a.Log.Entries {
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			left.add(1, "request without an http address", "requests without an http address")
			continue
		}
		x := exchange{method: strings.ToUpper(e.Request.Method), url: u, status: e.Response.Status, took: millis(e.Time)}
		x.began, _ = time.Parse(time.RFC3339Nano, e.Started) // without one there is no gap
		media, _, _ := mime.ParseMediaType(e.Response.Content.Mime)
		answer := e.text()
		if media == "text/html" {
			x.fields = pageFields(answer)
		}
		x.page = x.method == "GET" && len(x.fields) > 0 && x.status == http.StatusOK
		switch {
		case !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, x.method):
			left.add(1, "preflight or other method", "preflights and other methods")
			continue
		case x.method == "GET" && !x.page && (staticFile.MatchString(u.Path) || static(media) || slices.Contains([]string{"stylesheet", "script", "image", "font", "media", "document", "manifest"}, e.Type)):
			left.add(1, "static file or page", "static files and pages")
			continue
		case e.Type == "websocket" || e.Type == "eventsource" || e.Response.Status == 101:
			left.add(1, "open connection (websocket, events)", "open connections (websocket, events)")
			continue
		case e.Response.Status == 0:
			left.add(1, "request without an answer", "requests without an answer")
			continue
		}
		for _, h := range e.Request.Headers {
			x.header = append(x.header, [2]string{h.Name, h.Value})
			x.signed = x.signed || plain(h.Name) == "authorization"
		}
		for _, h := range e.Response.Headers {
			x.answerHeader = append(x.answerHeader, [2]string{h.Name, h.Value})
		}
		if text := e.Request.Post.Text; text != "" || len(e.Request.Post.Params) > 0 {
			x.read(e.Request.Post.Mime, text, e.Request.Post.Params)
		}
		if x.other != "" {
			left.add(1, "request with a body of "+x.other, "requests with a body of "+x.other)
			continue
		}
		x.answer = jsonValue(answer)
		if x.status >= 400 {
			refused = append(refused, x)
			continue
		}
		if all = append(all, x); !x.page {
			hosts[u.Scheme+"://"+u.Host]++
		}
	}
	if len(hosts) == 0 {
		return nil, errors.New("no request to an API in it: static files and refusals alone")
	}
	slices.SortStableFunc(all, func(a, b exchange) int { return a.began.Compare(b.began) })
	main := keys(hosts)[0]
	for _, h := range keys(hosts) {
		if hosts[h] > hosts[main] {
			main = h
		}
	}
	if u, err := url.Parse(o.URL); err == nil && hosts[u.Scheme+"://"+u.Host] > 0 {
		main = u.Scheme + "://" + u.Host
	}
	all, pages := d.telling(all, main)
	if pages > 0 {
		left.add(pages, "static file or page", "static files and pages")
	}
	for _, h := range keys(hosts) {
		if h != main {
			left.add(hosts[h], "request to "+h, "requests to "+h)
		}
	}
	all = slices.DeleteFunc(all, func(x exchange) bool { return x.url.Scheme+"://"+x.url.Host != main })
	all, again := once(all)
	if again > 0 {
		d.say("%d requests that repeat the one before them are left out: more than %d equal ones in a row are one step", again, mostEqual)
	}
	for _, what := range keys(left) {
		d.say("left out: %s", numbered(left[what].n, what, left[what].many))
	}
	d.url = main
	u, _ := url.Parse(main) // it was parsed above
	if d.name = title(u.Hostname(), o.File); net.ParseIP(u.Hostname()) != nil || u.Hostname() == "localhost" {
		d.name = "api" // an address names nothing
	}
	d.base = d.based(o.URL, own, pathsOf(all))
	d.captured(all, refused, nil)
	return d, d.some()
}

// captured makes the journeys of exchanges. groups name the journey of each; nil =
// one journey, cut into tasks where the capture paused. What was refused is no part of
// them: it tells how the API refuses.
func (d *outline) captured(all, refused []exchange, groups []string) {
	at, email := d.signInOf(all), ""
	if at >= 0 {
		account, password := credential(all[at].body)
		email = textAt(all[at].body, account)
		all[at].body = put(all[at].body, password, "{{password}}")
		if account != "" {
			all[at].body = put(all[at].body, account, "{{email}}")
		}
		if len(email) < 4 || ours.MatchString(email) || email == gone {
			email = "" // it would be found in texts that are not about the account
		}
	}
	d.shown = shownOf(all, refused, at)
	steps := d.correlate(all, at, email)
	calls := d.asCalls(all, steps)
	identify(calls)
	telling := d.learnRefusals(all, refused, steps, calls)
	if groups == nil { // else they are examples, and nobody sent them
		d.sayRefused(len(refused)-telling, telling)
	}
	d.profileOf(calls)
	apart := map[int]bool{at: true} // they are no part of a journey
	for i, x := range all {         // nor is a second sign-in, as of somebody else
		apart[i] = apart[i] || at >= 0 && x.method == all[at].method && x.url.Path == all[at].url.Path
	}
	if at >= 0 {
		d.signedIn(all, steps, at)
		d.stays(all, steps, calls, apart)
	} else {
		d.anonymous = true
		if len(d.decide) == 0 && slices.ContainsFunc(all, func(x exchange) bool { return x.signed && !x.page }) {
			d.decide = append(d.decide, "requests carried a credential, but none that signs in with a password was found: write accounts: with its sign_in")
		}
	}
	d.forget(steps)
	d.arrange(all, steps, apart, groups)
}

// text is the body of the answer.
func (e *entry) text() string {
	if b, err := base64.StdEncoding.DecodeString(e.Response.Content.Text); err == nil && e.Response.Content.Encoding == "base64" {
		return string(b)
	}
	return e.Response.Content.Text
}

// textAt is a text within a body, "" when there is none.
func textAt(body any, place string) string {
	s, _ := at(body, cmp.Or(place, "\x00")).(string)
	return s
}

// signedIn makes the sign-in of a step. What it saved for others stays saved.
func (d *outline) signedIn(all []exchange, steps []step, at int) {
	s := steps[at]
	s.name, s.anonymous = "sign in", false
	token := d.shown.from
	if token == "" && !d.shown.cookies {
		token = "json:access_token"
		s.decide = append(s.decide, "where the token stands in the answer: none is called like one")
	}
	d.known(&s, map[string]bool{}) // nothing comes before it
	if s.save == nil {
		s.save = map[string]string{}
	}
	if token != "" {
		s.save["token"] = token
	}
	if refresh, ok := byKey(all[at].answer, refreshKeys...); ok && "json:"+refresh != token && s.save["refresh_token"] == "" {
		s.save["refresh_token"] = "json:" + refresh
	}
	d.signIn = &s
}

// read takes a body apart by its media type.
func (x *exchange) read(media, text string, params []pair) {
	kind, _, err := mime.ParseMediaType(media)
	if err != nil {
		kind = strings.ToLower(strings.TrimSpace(strings.Split(media, ";")[0]))
	}
	switch {
	case strings.HasSuffix(kind, "json") || kind == "" || kind == "text/plain":
		if x.body = jsonValue(text); x.body == nil {
			x.text = strings.ToValidUTF8(text, "")
		}
		if kind != "application/json" && kind != "" && x.body != nil {
			x.media = kind
		}
	case kind == formType:
		fields := map[string]any{}
		for _, p := range params {
			again(fields, decoded(p.Name), decoded(p.Value))
		}
		if values, err := url.ParseQuery(text); err == nil && len(params) == 0 {
			for k, all := range values {
				for _, v := range all {
					again(fields, k, v)
				}
			}
		}
		x.form, x.body = true, fields
	default:
		x.other = kind
	}
}

// decoded is a form's text as it was typed: some captures hold it escaped.
func decoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil && strings.ContainsAny(text, "%+") {
		return plain
	}
	return text
}

// jsonValue is a JSON text's value; nil when it is none, or null.
func jsonValue(text string) any {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil
	}
	return v
}

func static(kind string) bool {
	for _, p := range []string{"image/", "font/", "video/", "audio/", "text/css", "text/html", "application/javascript", "text/javascript", "application/font", "application/wasm"} {
		if strings.HasPrefix(kind, p) {
			return true
		}
	}
	return false
}

func millis(ms float64) time.Duration {
	if ms < 0 || ms > 1e9 {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}
