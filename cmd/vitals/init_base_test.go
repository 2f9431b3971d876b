package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// mounted is an API below /api, and what it was asked for.
type mounted struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func mount(t *testing.T) *mounted {
	m := &mounted{}
	mux := http.NewServeMux()
	answer := func(pattern string, status int, text string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if r.Header.Get("Authorization") == "" && r.URL.Path != "/api/login" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text) // the client sees a short answer
		})
	}
	answer("POST /api/login", 200, `{"access_token":"tok-0123456789"}`)
	answer("GET /api/orders", 200, `{"items":[{"id":"ord-11111"}]}`)
	answer("POST /api/orders", 201, `{"id":"ord-22222"}`)
	answer("GET /api/orders/{id}", 200, `{"id":"ord-22222"}`)
	answer("GET /about", 200, `{"version":1}`)
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.seen = append(m.seen, r.Method+" "+r.URL.Path)
		m.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

// took gives what was asked for, and forgets it.
func (m *mounted) took() (seen []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen, m.seen = m.seen, nil
	return seen
}

// sources of the mounted API, by what they say of where it is.
func (m *mounted) sources() map[string]string {
	spec := func(servers, base string) string {
		return `openapi: 3.0.3
info: {title: Orders, version: "1"}
` + servers + `
components: {securitySchemes: {b: {type: http, scheme: bearer}}, schemas: {Order: {type: object, properties: {id: {type: string}}}}}
security: [{b: []}]
paths:
  ` + base + `/login:
    post:
      security: []
      requestBody: {content: {application/json: {schema: {type: object, properties: {email: {type: string}, password: {type: string}}}}}}
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object, properties: {access_token: {type: string}}}}}}}
  ` + base + `/orders:
    get: {responses: {"200": {description: ok, content: {application/json: {schema: {type: object, properties: {items: {type: array, items: {$ref: "#/components/schemas/Order"}}}}}}}}}
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {note: {type: string, example: by the door}}}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}}
  ` + base + `/orders/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}}
`
	}
	collection := func(at, variable string) string {
		text := `{"info": {"name": "Orders", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "auth": {"type": "bearer"}, "variable": [` + variable + `], "item": [
			{"name": "Sign in", "request": {"auth": {"type": "noauth"}, "method": "POST", "url": "AT/login", "body": {"mode": "raw", "raw": "{\"email\":\"a@example.com\",\"password\":\"b\"}"}}, "response": [{"code": 200, "body": "{\"access_token\":\"tok-0123456789\"}"}]},
			{"name": "List", "request": {"method": "GET", "url": "AT/orders"}, "response": [{"code": 200, "body": "{\"items\":[{\"id\":\"ord-11111\"}]}"}]},
			{"name": "Create", "request": {"method": "POST", "url": "AT/orders", "body": {"mode": "raw", "raw": "{}"}}, "response": [{"code": 201, "body": "{\"id\":\"ord-22222\"}"}]},
			{"name": "Read", "request": {"method": "GET", "url": "AT/orders/ord-22222"}}]}`
		return strings.ReplaceAll(text, "AT", at)
	}
	return map[string]string{
		"servers: /api":           spec("servers: [{url: /api}]", ""),
		"servers: /api/":          spec("servers: [{url: /api/}]", ""),
		"servers: the URL":        spec("servers: [{url: '"+m.URL+"/api'}]", ""),
		"servers: elsewhere":      spec("servers: [{url: 'https://orders.example/v2'}]", ""),
		"no servers":              spec("", ""),
		"no servers, whole paths": spec("", "/api"),
		"Postman":                 collection(m.URL+"/api", ""),
		"Postman, a variable":     collection("{{base}}", `{"key": "base", "value": "`+m.URL+`/api"}`),
		"Postman, unset":          collection("{{base}}", ""),
		"HAR":                     m.har("/api", ""),
		"HAR, unmounted":          m.har("", ""),
		"HAR, beside the base":    m.har("/api", m.request("GET", "/about", "", 200, `{"version":1}`)+","),
	}
}

func (m *mounted) request(method, path, body string, status int, answer string) string {
	return fmt.Sprintf(`{"startedDateTime": "2026-05-04T08:00:00Z", "request": {"method": %q, "url": "%s%s", "headers": [{"name": "Authorization", "value": "Bearer tok-0123456789"}], "postData": {"mimeType": "application/json", "text": %q}},
		"response": {"status": %d, "headers": [], "content": {"mimeType": "application/json", "text": %q}}}`, method, m.URL, path, body, status, answer)
}

func (m *mounted) har(base, more string) string {
	return `{"log": {"entries": [` + more + strings.Join([]string{
		m.request("POST", base+"/login", `{"email":"a@example.com","password":"b"}`, 200, `{"access_token":"tok-0123456789"}`),
		m.request("GET", base+"/orders", "", 200, `{"items":[{"id":"ord-11111"}]}`),
		m.request("POST", base+"/orders", `{"note":"by the door"}`, 201, `{"id":"ord-22222"}`),
		m.request("GET", base+"/orders/ord-22222", "", 200, `{"id":"ord-22222"}`),
	}, ",") + `]}}`
}

var (
	next      = regexp.MustCompile(`(?m)^  vitals (run|audit) (.*)$`)
	elsewhere = regexp.MustCompile(`^[A-Z]+ (/api/api/|/v2/|/(login|orders))`)
)

// The commands that init prints send the base path once, with the files that it wrote.
func TestInitBasePath(t *testing.T) {
	m := mount(t)
	for name, source := range m.sources() {
		urls := []string{m.URL + "/api", m.URL + "/api/"}
		if strings.Contains(source, "/api") {
			urls = append(urls, m.URL) // the source has the rest
		}
		for _, url := range urls {
			file := filepath.Join(t.TempDir(), "source")
			if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, talk := typed("init", "--yes", "--from", file, "--url", url, "--dir", t.TempDir())
			if code != 0 {
				t.Errorf("%s with %s: got %d\n%s%s", name, url, code, out, talk)
				continue
			}
			if plain := strings.TrimRight(url, "/"); name != "HAR, beside the base" && strings.Count(out, "--url "+plain+" ") != 2 {
				t.Errorf("%s: want %s in both commands, got\n%s", name, plain, out)
			}
			m.sendsItOnce(t, name+" with "+url, out)
		}
	}
}

// So do those of a recording through a URL with a path.
func TestRecordBasePath(t *testing.T) {
	m := mount(t)
	for _, more := range [][]string{nil, {"--url", m.URL}, {"--url", m.URL + "/api"}} {
		ctx, end := context.WithCancel(t.Context())
		var out, talk lockedBuffer
		done := make(chan int, 1)
		go func() {
			done <- run(ctx, append([]string{"init", "--record", m.URL + "/api/", "--listen", "127.0.0.1:0", "--dir", t.TempDir()}, more...), streams{strings.NewReader(""), &out, &talk})
		}()
		at := ""
		for range 500 {
			if found := regexp.MustCompile(`Send to (http://\S+)`).FindStringSubmatch(talk.String()); found != nil {
				at = found[1]
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		for _, q := range [][3]string{{"POST", "/login", `{"email":"a@example.com","password":"b"}`}, {"GET", "/orders"}, {"POST", "/orders", `{}`}, {"GET", "/orders/ord-22222"}} {
			req, err := http.NewRequestWithContext(ctx, q[0], at+q[1], strings.NewReader(q[2]))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer tok-0123456789")
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close() // nothing of it is read
		}
		end()
		if code := <-done; code != 0 {
			t.Errorf("--record %v: got %d\n%s%s", more, code, out.String(), talk.String())
			continue
		}
		m.sendsItOnce(t, fmt.Sprint("--record ", more), out.String())
	}
}

// sendsItOnce runs what init printed.
func (m *mounted) sendsItOnce(t *testing.T, name, said string) {
	t.Helper()
	commands := next.FindAllStringSubmatch(said, -1)
	if len(commands) != 2 {
		t.Fatalf("%s: got no two commands in\n%s", name, said)
	}
	m.took()
	for _, c := range commands {
		args := strings.Fields(c[2])
		accounts := regexp.MustCompile(`--accounts (\S+)`).FindStringSubmatch(c[2])[1]
		if err := os.WriteFile(accounts, []byte("email,password\na@example.com,b\nc@example.com,d\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		more := map[string][]string{"run": {"--once"}, "audit": {"--only", "AU10", "--patience", "1s", "--may-skip", "AU"}}[c[1]]
		code, out, talk := typed(append(append(append([]string{c[1]}, args...), more...), "--out", t.TempDir())...)
		seen := m.took()
		for _, want := range []string{"POST /api/login", "POST /api/orders", "GET /api/orders/ord-22222"} {
			if !strings.Contains(strings.Join(seen, "\n")+"\n", want+"\n") {
				t.Errorf("%s: want %s of vitals %s %s\ngot %q\n%d %s%s", name, want, c[1], c[2], seen, code, out, talk)
				break
			}
		}
		for _, path := range seen {
			if elsewhere.MatchString(path) {
				t.Errorf("%s: %s was sent by vitals %s %s", name, path, c[1], c[2])
				break
			}
		}
		if c[1] == "run" && code != 0 {
			t.Errorf("%s: got %d\n%s%s", name, code, out, talk)
		}
	}
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
