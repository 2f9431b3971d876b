package server

import (
	"net/http"
	"strings"
	"testing"
)

const page = "https://app.clinic.de"

var corsVars = []string{"ENV=staging", "PRODUCTION_CORS_ORIGINS=https://app.clinic.de,https://admin.clinic.de:8443", "PORT=18999"}

func TestCrossOriginAllowed(t *testing.T) {
	bed := newTestbed(t, nil, corsVars...)
	a := bed.ask(t, "POST", "/api/v1/echo", `{"name":"a"}`, "Origin: "+page)
	check(t, "simple", a, 200, page)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		a := bed.ask(t, "OPTIONS", "/api/v1/echo", "", "Origin: "+page,
			"Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: authorization,content-type,x-request-id")
		check(t, "preflight "+method, a, 204, page)
		if got := a.Header.Get("Access-Control-Max-Age"); got != "600" {
			t.Errorf("%s: max age %q, want 600", method, got)
		}
	}
}

// check asserts the status and that origin, or nobody if "", was let in.
func check(t *testing.T, name string, a answer, status int, origin string) {
	t.Helper()
	credentials := ""
	if origin != "" {
		credentials = "true"
	}
	if a.StatusCode != status || a.Header.Get("Access-Control-Allow-Origin") != origin || a.Header.Get("Access-Control-Allow-Credentials") != credentials {
		t.Errorf("%s: got %d origin %q credentials %q, want %d %q %q", name, a.StatusCode,
			a.Header.Get("Access-Control-Allow-Origin"), a.Header.Get("Access-Control-Allow-Credentials"), status, origin, credentials)
	}
	if !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Origin") {
		t.Errorf("%s: got Vary %q, want Origin in it", name, a.Header.Values("Vary"))
	}
}

func TestStrangeOriginsGetNothing(t *testing.T) {
	bed := newTestbed(t, nil, corsVars...)
	for _, origin := range []string{
		"https://evil.de", "null", "https://app.clinic.de.evil.de", "https://evil-app.clinic.de", "https://x.app.clinic.de",
		"https://app.clinic.de:8443", "http://app.clinic.de", "https://APP.clinic.de", "https://app.clinic.de.", "https://admin.clinic.de", "",
	} {
		a := bed.ask(t, "POST", "/api/v1/echo", `{"name":"a"}`, "Origin: "+origin)
		check(t, origin, a, 200, "") // it proceeds: CORS tells browsers, not servers
		a = bed.ask(t, "OPTIONS", "/api/v1/echo", "", "Origin: "+origin, "Access-Control-Request-Method: POST")
		if got := a.Header.Get("Access-Control-Allow-Origin"); got != "" || a.StatusCode == http.StatusNoContent {
			t.Errorf("preflight of %q: got %d %q, want no grant", origin, a.StatusCode, got)
		}
	}
}

func TestPreflightGrantsNoMore(t *testing.T) {
	bed := newTestbed(t, nil, corsVars...)
	for _, ask := range [][]string{
		{"Access-Control-Request-Method: PURGE"},
		{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-evil"},
	} {
		a := bed.ask(t, "OPTIONS", "/api/v1/echo", "", append(ask, "Origin: "+page)...)
		if a.StatusCode == http.StatusNoContent {
			t.Errorf("%v: got 204, want no grant", ask)
		}
		for name, values := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") && strings.Contains(strings.Join(values, ","), "*") {
				t.Errorf("%v: %s has a wildcard beside credentials", ask, name)
			}
		}
	}
}

// A browser must be able to read every refusal (probe CO4).
func TestRefusalsAreReadable(t *testing.T) {
	gate := &fakeGate{limit: 2}
	bed := newTestbed(t, func(d *Deps) { d.Gate = gate }, append(corsVars, "MAX_IN_FLIGHT=1")...)
	origin := "Origin: " + page
	check(t, "401", bed.ask(t, "GET", "/api/v1/items/1", "", origin), 401, page)
	check(t, "413", bed.ask(t, "POST", "/api/v1/echo", strings.Repeat(" ", 70<<10), origin), 413, page)
	a := bed.ask(t, "GET", "/api/v1/items/1", "", origin)
	check(t, "429", a, 429, page)
	exposed := strings.ToLower(strings.Join(a.Header.Values("Access-Control-Expose-Headers"), ","))
	for _, name := range []string{"retry-after", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("exposed %q, want %s in it", exposed, name)
		}
	}
}

func TestCrossOriginOff(t *testing.T) {
	bed := newTestbed(t, nil, append(corsVars, "CORS_DISABLE=true")...)
	for _, a := range []answer{
		bed.ask(t, "POST", "/api/v1/echo", `{"name":"a"}`, "Origin: "+page),
		bed.ask(t, "OPTIONS", "/api/v1/echo", "", "Origin: "+page, "Access-Control-Request-Method: POST"),
	} {
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("got %s, want no CORS header", name)
			}
		}
	}
}

func TestWildcardIsWithoutCredentials(t *testing.T) {
	bed := newTestbed(t, nil, "CORS_ALLOW_ALL=true")
	a := bed.ask(t, "POST", "/api/v1/echo", `{"name":"a"}`, "Origin: https://anyone.de")
	if a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("got %q credentials %q, want * without", a.Header.Get("Access-Control-Allow-Origin"), a.Header.Get("Access-Control-Allow-Credentials"))
	}
}
