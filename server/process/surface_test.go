package process

import (
	"encoding/json"
	"strings"
	"testing"
)

// The description of the API is served in development alone.
func TestOpenAPIInDevelopment(t *testing.T) {
	s := startLive(t, testConfig(t, "ENV=development"))
	c := from(t, "127.0.0.66")
	a := ask(t, c, "GET", s.url()+"/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal([]byte(a.Text), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/api/v1/auth/login"] == nil {
		t.Errorf("got %d, version %q, %d paths, want 3.1 and all routes", a.StatusCode, doc.OpenAPI, len(doc.Paths))
	}
	if a := ask(t, c, "GET", s.url()+"/docs", ""); a.StatusCode != 404 {
		t.Errorf("/docs: got %d, want 404", a.StatusCode)
	}
}

// Every error of the framework itself is a problem too, and no answer of the API
// is a schema link.
func TestErrorsHaveOneShape(t *testing.T) {
	s := startLive(t, testConfig(t))
	c := from(t, "127.0.0.66")
	for _, a := range []answer{
		ask(t, c, "POST", s.url()+"/api/v1/auth/login", `{"email":"canary","password":1}`),
		ask(t, c, "POST", s.url()+"/api/v1/auth/login", `[canary`),
		ask(t, c, "POST", s.url()+"/api/v1/auth/refresh", `{}`),
		ask(t, c, "GET", s.url()+"/api/v1/patients?page=canary", "", "Accept: text/html"),
	} {
		if a.Problem.Code == "" || a.Problem.Title == "" || a.Problem.RequestID == "" || a.Problem.Instance == "" {
			t.Errorf("got %s %s, want a whole problem", a.Status, a.Text)
		}
		if strings.Contains(a.Text, "canary") || strings.Contains(a.Text, "$schema") || a.Header.Get("Link") != "" {
			t.Errorf("got %s, want neither the input nor a link", a.Text)
		}
	}
}
