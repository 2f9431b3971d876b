package audittest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// call is one request being served.
type call struct {
	s    *API
	w    http.ResponseWriter
	r    *http.Request
	id   string // of the path
	body map[string]any
	user *user
	ip   string

	status int
	dead   string // account of a token that was ended
}

// route is the path as a profile writes it.
func (x *call) route() string {
	if x.id != "" {
		return strings.Replace(x.r.URL.Path, x.id, "{{id}}", 1)
	}
	return x.r.URL.Path
}

// dispatch authenticates, counts, reads the body and does the work.
func (x *call) dispatch(route route) {
	open := strings.HasPrefix(x.r.URL.Path, "/v2/session") || strings.HasPrefix(path.Clean(x.r.URL.Path), "/v2/session") || x.r.URL.Path == "/v2/forgot"
	x.authenticate()
	own := route.method != "GET" && (open || strings.HasPrefix(x.r.URL.Path, "/v2/mfa") || x.r.URL.Path == "/v2/password")
	if !own && !x.spend("api", x.subject()) {
		return
	}
	if x.s.Lie == "whoami is open" && x.user == nil && x.r.URL.Path == "/v2/whoami" {
		x.answer(200, map[string]any{})
		return
	}
	if !open && x.user == nil && !x.nobodys(route) {
		x.w.Header().Set("WWW-Authenticate", "Bearer")
		x.fail(401, "token")
		return
	}
	if x.r.Method != "GET" && x.r.Method != "DELETE" {
		if !x.read(own) {
			return
		}
	}
	route.do(x)
}

// nobodys tells whether it takes a request of nobody signed in, which it should not.
func (x *call) nobodys(route route) bool {
	things := strings.HasPrefix(x.r.URL.Path, "/v2/things")
	return things && (x.s.quiet() && route.method != "GET" && route.method != "POST" || x.s.Lie == "who is not signed in may delete" && route.method == "DELETE" || x.s.Lie == "who is not signed in may list" && x.r.URL.Path == "/v2/things" && route.method == "GET")
}

func (x *call) read(own bool) bool {
	refuse := func(status int, why string) bool {
		if own && !x.spend("api", x.subject()) {
			return false
		}
		x.fail(status, why)
		return false
	}
	if x.r.Header.Get("Content-Type") != "application/json" {
		return refuse(415, "type")
	}
	b, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, 4<<10))
	if err != nil {
		return refuse(413, "size")
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	if strings.Contains(string(b), strings.Repeat("[", 40)) || d.Decode(&x.body) != nil {
		return refuse(400, "JSON")
	}
	if x.s.Lie == "keys in capitals are taken" {
		for name, value := range x.body {
			if lower := strings.ToLower(name); lower != name {
				x.body[lower] = value
				delete(x.body, name)
			}
		}
	}
	if x.s.Lie != "keys in capitals are taken" && doubled(b) {
		return refuse(422, "field")
	}
	for name := range x.body {
		if !slices.Contains([]string{"name", "due", "mail", "word", "old", "new", "renewal", "dare", "digits", "key"}, name) {
			if x.s.Lie == "fields are refused, and set" && x.r.Method == "PATCH" && name == "role" {
				x.s.mu.Lock()
				one := x.s.things[x.id]
				one.role = x.text(name)
				x.s.things[x.id] = one
				x.s.mu.Unlock()
			}
			return refuse(422, "field")
		}
	}
	return true
}

// doubled tells whether a key stands twice in a body of one level.
func doubled(body []byte) bool {
	d, seen, depth, key := json.NewDecoder(bytes.NewReader(body)), map[string]bool{}, 0, true
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				depth++
			} else {
				depth--
				key = true
			}
			continue
		case string:
			if depth == 1 && key {
				if seen[token] {
					return true
				}
				seen[token], key = true, false
				continue
			}
		}
		if depth == 1 {
			key = true
		}
	}
}

func (x *call) text(name string) string { s, _ := x.body[name].(string); return s }

func (x *call) operational() bool {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	m := map[string]any{"timestamp": now}
	switch x.r.URL.Path {
	case "/health":
		m["status"], m["version"], m["env"] = "healthy", "2", "test"
	case "/ready":
		m["status"], m["version"], m["checks"] = "ready", "2", map[string]bool{"database": true, "config": true}
	case "/live":
		m["status"] = "alive"
	default:
		return false
	}
	x.answer(200, m)
	return true
}

func (x *call) crossOrigin() bool {
	h, origin := x.w.Header(), x.r.Header.Get("Origin")
	if x.s.Lie != "Vary missing" {
		h.Add("Vary", "Origin")
	}
	ok := origin == x.s.origin || x.s.Lie == "null origin reflected" && origin == "null"
	preflight := x.r.Method == "OPTIONS" && x.r.Header.Get("Access-Control-Request-Method") != ""
	if ok {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "X-Request-ID, Retry-After")
		if preflight {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		}
	}
	if preflight {
		x.w.WriteHeader(204)
	}
	return preflight
}

func (x *call) fail(status int, why string) {
	signed := x.r.Header.Get("Authorization") != ""
	if status == http.StatusNotFound && x.s.Lie == "a guard hides errors of two forms" && !signed {
		status = http.StatusUnauthorized
	}
	if status == http.StatusNotFound && (x.s.Lie == "errors of two forms" || x.s.Lie == "a guard hides errors of two forms") {
		http.Error(x.w, why, status)
		return
	}
	x.answer(status, map[string]any{"problem": why, "request_id": x.w.Header().Get("X-Request-ID")})
}

func (x *call) answer(status int, v any) {
	h := x.w.Header()
	if x.s.Lie == "headers only on success" && status >= 400 || x.s.Lie == "no limit headers" {
		for _, n := range []string{"Limit", "Remaining", "Reset", "Window"} {
			h.Del("X-RateLimit-" + n)
		}
	}
	h.Set("Content-Type", "application/json")
	x.status = status
	x.w.WriteHeader(status)
	_ = json.NewEncoder(x.w).Encode(v)
}
