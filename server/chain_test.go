package server

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vitals/server/web"
)

func TestRequestID(t *testing.T) {
	bed := newTestbed(t, nil)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	cases := map[string]struct {
		sent []string
		kept bool
	}{
		"none":         {nil, false},
		"good":         {[]string{"probe-0123456789ab"}, true},
		"shortest":     {[]string{"a1234567"}, true},
		"longest":      {[]string{strings.Repeat("a", 64)}, true},
		"too short":    {[]string{"a123456"}, false},
		"too long":     {[]string{strings.Repeat("a", 65)}, false},
		"5 kB":         {[]string{strings.Repeat("a", 5000)}, false},
		"bad start":    {[]string{"-0123456789ab"}, false},
		"spaces":       {[]string{`probe {"level":"INFO"}`}, false},
		"tab":          {[]string{"probe\t0123456789"}, false},
		"obs-text":     {[]string{"probe-\xff0123456"}, false},
		"two headers":  {[]string{"probe-0123456789ab", "probe-0123456789cd"}, false},
		"empty header": {[]string{""}, false},
	}
	seen := map[string]bool{}
	for name, c := range cases {
		var headers []string
		for _, s := range c.sent {
			headers = append(headers, requestIDHeader+": "+s)
		}
		a := bed.ask(t, "GET", "/nope", "", headers...)
		got := a.Header.Get(requestIDHeader)
		if c.kept && got != c.sent[0] || !c.kept && !uuid.MatchString(got) || seen[got] {
			t.Errorf("%s: got %q, want kept=%v or a fresh UUID", name, got, c.kept)
		}
		if a.Problem.RequestID != got {
			t.Errorf("%s: problem says %q, header %q", name, a.Problem.RequestID, got)
		}
		seen[got] = true
	}
	for _, line := range bed.log.Lines(t) {
		if line["logger"] != "app.access" {
			continue
		}
		id := line["request_id"].(string)
		if !seen[id] {
			t.Errorf("log has request_id %q, which no answer had", id)
		}
		delete(seen, id)
	}
	if len(seen) > 0 {
		t.Errorf("no access line for %v", seen)
	}
}

func TestRequestIDIsOnEveryAnswer(t *testing.T) {
	bed := newTestbed(t, nil)
	for name, a := range map[string]answer{
		"200": bed.ask(t, "GET", "/live", ""),
		"401": bed.ask(t, "GET", "/api/v1/items/1", ""),
		"404": bed.ask(t, "GET", "/api/v1/nope", ""),
		"405": bed.ask(t, "DELETE", "/api/v1/echo", ""),
		"413": bed.ask(t, "POST", "/api/v1/echo", strings.Repeat(" ", 70<<10)),
		"415": bed.ask(t, "POST", "/api/v1/echo", "{}", "Content-Type: text/plain"),
		"429": bed.ask(t, "GET", "/api/v1/fault/locked", ""),
		"500": bed.ask(t, "GET", "/api/v1/fault/panic", ""),
	} {
		if fmt.Sprint(a.StatusCode) != name {
			t.Errorf("got status %d, want %s: %s", a.StatusCode, name, a.Text)
		}
		if a.Header.Get(requestIDHeader) == "" {
			t.Errorf("%s: got no %s", name, requestIDHeader)
		}
		if name != "200" && (a.Problem.Status != a.StatusCode || a.Problem.Code == "" || a.Problem.RequestID != a.Header.Get(requestIDHeader)) {
			t.Errorf("%s: got problem %+v, want it whole", name, a.Problem)
		}
	}
}

func TestRefusalsOfFormAndMethod(t *testing.T) {
	bed := newTestbed(t, nil)
	deep := func(n int) string {
		return `{"name":"a","list":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, allow              string
	}{
		{"good", "POST", "/api/v1/echo", `{"name":"a"}`, nil, 200, "", ""},
		{"charset", "POST", "/api/v1/echo", `{"name":"a"}`, []string{"Content-Type: application/json; charset=utf-8"}, 200, "", ""},
		{"TRACE", "TRACE", "/api/v1/echo", "", nil, 405, "method_not_allowed", "POST"},
		{"unknown method", "PURGE", "/api/v1/items/1", "", nil, 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS without CORS", "OPTIONS", "/api/v1/echo", "", nil, 405, "method_not_allowed", "POST"},
		{"ops method", "POST", "/health", "", nil, 405, "method_not_allowed", "GET, HEAD"},
		{"no such path", "GET", "/.env", "", nil, 404, "not_found", ""},
		{"trailing slash", "POST", "/api/v1/echo/", `{"name":"a"}`, nil, 404, "not_found", ""},
		{"double slash", "POST", "//api/v1/echo", `{"name":"a"}`, nil, 404, "not_found", ""},
		{"dot segments", "POST", "/api/v1/x/../echo", `{"name":"a"}`, nil, 404, "not_found", ""},
		{"percent code is the same path", "POST", "/api/v1/%65cho", `{"name":"a"}`, nil, 200, "", ""},
		{"text", "POST", "/api/v1/echo", `{"name":"a"}`, []string{"Content-Type: text/plain"}, 415, "unsupported_media_type", ""},
		{"form", "POST", "/api/v1/echo", `name=a`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type", ""},
		{"multipart", "POST", "/api/v1/echo", `x`, []string{"Content-Type: multipart/form-data; boundary=x"}, 415, "unsupported_media_type", ""},
		{"no type", "POST", "/api/v1/echo", `{"name":"a"}`, []string{"Content-Type: "}, 415, "unsupported_media_type", ""},
		{"70 kB", "POST", "/api/v1/echo", `{"name":"` + strings.Repeat("a", 70<<10) + `"}`, nil, 413, "body_too_large", ""},
		{"auth 5 kB", "POST", "/api/v1/auth/login", `{"name":"` + strings.Repeat("a", 5<<10) + `"}`, nil, 413, "body_too_large", ""},
		{"depth 32", "POST", "/api/v1/echo", deep(31), nil, 200, "", ""},
		{"depth 33", "POST", "/api/v1/echo", deep(32), nil, 400, "malformed", ""},
		{"depth 1000", "POST", "/api/v1/echo", deep(1000), nil, 400, "malformed", ""},
		{"brackets in a string", "POST", "/api/v1/echo", `{"name":"[[\"{{"}`, nil, 200, "", ""},
		{"no body", "POST", "/api/v1/echo", "", nil, 400, "malformed", ""},
		{"broken", "POST", "/api/v1/echo", `{"name":`, nil, 400, "malformed", ""},
		{"trailing data", "POST", "/api/v1/echo", `{"name":"a"}{}`, nil, 400, "malformed", ""},
		{"unknown field", "POST", "/api/v1/echo", `{"name":"a","role":"admin"}`, nil, 422, "validation", ""},
		{"rule", "POST", "/api/v1/echo", `{"name":"canary canary canary"}`, nil, 422, "validation", ""},
	}
	for _, c := range cases {
		a := bed.ask(t, c.method, c.path, c.body, c.headers...)
		if a.StatusCode != c.status || a.Problem.Code != c.code || a.Header.Get("Allow") != c.allow {
			t.Errorf("%s: got %d %q allow %q, want %d %q allow %q\n%s",
				c.name, a.StatusCode, a.Problem.Code, a.Header.Get("Allow"), c.status, c.code, c.allow, a.Text)
		}
		if strings.Contains(a.Text, "canary") {
			t.Errorf("%s: the answer echoes the input: %s", c.name, a.Text)
		}
	}
}

func TestValidationNamesFieldsWithoutValues(t *testing.T) {
	bed := newTestbed(t, nil)
	a := bed.ask(t, "POST", "/api/v1/echo", `{"name":"canary-canary-canary","password":"canary"}`)
	want := []web.FieldError{
		{Field: "body.name", Msg: "expected length <= 10"},
		{Field: "body.password", Msg: "unexpected property"},
	}
	if diff := cmp.Diff(want, a.Problem.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if strings.Contains(a.Text, "canary") || strings.Contains(bed.log.String(), "canary") {
		t.Errorf("the value came back or was logged: %s", a.Text)
	}
}

func TestSecurityHeadersOnEveryAnswer(t *testing.T) {
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'", "Cache-Control": "no-store",
		"Cross-Origin-Resource-Policy": "same-site", "Server": "", "X-Xss-Protection": "", "Strict-Transport-Security": "",
	}
	bed := newTestbed(t, nil)
	for _, path := range []string{"/health", "/nope", "/api/v1/items/1", "/api/v1/fault/locked", "/api/v1/fault/panic"} {
		a := bed.ask(t, "GET", path, "")
		for name, value := range want {
			if got := a.Header.Get(name); got != value {
				t.Errorf("%s: %s: got %q, want %q", path, name, got, value)
			}
		}
	}
}

func TestStrictTransportInProduction(t *testing.T) {
	bed := newTestbed(t, nil, "ENV=production", "PORT=8000", "ADMIN_ADDR=127.0.0.1:9090", "SHUTDOWN_DRAIN_DELAY=0",
		"DATABASE_URL=postgres://clinic:9fK2mQx7ZtLw4RsV@127.0.0.1/clinic", "FRONTEND_URL=https://app.clinic.de",
		"PRODUCTION_CORS_ORIGINS=https://app.clinic.de")
	for _, path := range []string{"/health", "/nope"} {
		if got := bed.ask(t, "GET", path, "").Header.Get("Strict-Transport-Security"); got != "max-age=31536000; includeSubDomains" {
			t.Errorf("%s: got %q, want a year and all subdomains", path, got)
		}
	}
}

func TestFaultsShowNothing(t *testing.T) {
	bed := newTestbed(t, nil)
	for _, kind := range []string{"panic", "nil", "error"} {
		a := bed.ask(t, "GET", "/api/v1/fault/"+kind, "")
		if a.StatusCode != 500 || a.Problem.Code != "internal" || a.Problem.Detail != "Something went wrong on our side." {
			t.Errorf("%s: got %d %s, want the generic 500", kind, a.StatusCode, a.Text)
		}
		for _, leak := range []string{"canary", "EOF", "goroutine", ".go", "nil pointer"} {
			if strings.Contains(a.Text, leak) {
				t.Errorf("%s: the answer shows %q: %s", kind, leak, a.Text)
			}
		}
		errors := 0
		for _, line := range bed.log.Lines(t) {
			if line["level"] == "ERROR" && line["request_id"] == a.Header.Get(requestIDHeader) {
				errors++
			}
		}
		if errors != 1 {
			t.Errorf("%s: got %d ERROR lines for the request, want 1", kind, errors)
		}
	}
	if got := metric(t, bed.reg, "http_requests_total", "method", "GET", "route", "/api/v1/fault/{kind}", "status", "500"); got != 3 {
		t.Errorf("got %v requests counted as 500, want 3", got)
	}
}

func TestTokensAndSessions(t *testing.T) {
	bed := newTestbed(t, nil)
	cases := []struct {
		name, auth      string
		status          int
		code, challenge string
	}{
		{"none", "", 401, "not_authenticated", "Bearer"},
		{"good", "Bearer patient", 200, "", ""},
		{"scheme in any case", "bearer patient", 200, "", ""},
		{"unknown", "Bearer unknown", 401, "invalid_token", `Bearer error="invalid_token"`},
		{"basic", "Basic patient", 401, "invalid_token", `Bearer error="invalid_token"`},
		{"ended session", "Bearer disabled", 401, "invalid_token", `Bearer error="invalid_token"`},
		{"storage fault", "Bearer broken", 500, "internal", ""},
	}
	for _, c := range cases {
		var headers []string
		if c.auth != "" {
			headers = []string{"Authorization: " + c.auth}
		}
		a := bed.ask(t, "GET", "/api/v1/items/1", "", headers...)
		if a.StatusCode != c.status || a.Problem.Code != c.code || a.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: got %d %q %q, want %d %q %q", c.name, a.StatusCode, a.Problem.Code, a.Header.Get("WWW-Authenticate"), c.status, c.code, c.challenge)
		}
	}
	if a := bed.ask(t, "GET", "/api/v1/items/1", "", "Authorization: Bearer patient", "Authorization: Bearer admin"); a.StatusCode != 401 {
		t.Errorf("two tokens: got %d, want 401", a.StatusCode)
	}
	// An open route does not trust a token whose session nobody checked.
	if a := bed.ask(t, "POST", "/api/v1/echo", `{"name":"a"}`, "Authorization: Bearer disabled"); a.StatusCode != 200 || !strings.Contains(a.Text, `"user":0`) {
		t.Errorf("open route: got %d %s, want 200 without a user", a.StatusCode, a.Text)
	}
	// Without a token the body is not read: the refusal is about the token, not the type.
	if a := bed.ask(t, "POST", "/api/v1/admin", "x", "Content-Type: text/plain"); a.StatusCode != 401 {
		t.Errorf("a bad body without a token: got %d, want 401", a.StatusCode)
	}
}

func TestRoles(t *testing.T) {
	bed := newTestbed(t, nil)
	if a := bed.ask(t, "POST", "/api/v1/admin", `{"name":"a"}`, "Authorization: Bearer admin"); a.StatusCode != 200 {
		t.Errorf("admin: got %d, want 200", a.StatusCode)
	}
	a := bed.ask(t, "POST", "/api/v1/admin", `{"name":"a"}`, "Authorization: Bearer patient")
	if a.StatusCode != 403 || a.Problem.Code != "forbidden" {
		t.Errorf("patient: got %d %q, want 403 forbidden", a.StatusCode, a.Problem.Code)
	}
	a = bed.ask(t, "POST", "/api/v1/admin", `{"name":"a"}`, "Authorization: Bearer unenrolled")
	if a.StatusCode != 403 || !strings.Contains(a.Problem.Detail, "second factor") {
		t.Errorf("without a second factor: got %d %q, want 403 and what is missing", a.StatusCode, a.Problem.Detail)
	}
	denied := slices.ContainsFunc(bed.log.Lines(t), func(l map[string]any) bool {
		return l["logger"] == "security" && l["message"] == "authz_denied" && l["user_id"] == 7.0
	})
	if !denied {
		t.Error("got no authz_denied security event")
	}
}
