package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/web"
)

// surface is the real route table.
func surface(t *testing.T, vars ...string) map[string]*route {
	t.Helper()
	p, err := newProcess(testConfig(t, vars...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := openRooms(t.Context(), p, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rooms.close(); err != nil {
			t.Error(err)
		}
	})
	rooms.deps.Registry = prometheus.NewRegistry()
	api, err := New(p.cfg, rooms.deps)
	if err != nil {
		t.Fatal(err)
	}
	return api.routes
}

// A route that forgets to ask for a user would be open to all: this list is the
// whole of what is open.
func TestOpenRoutes(t *testing.T) {
	var open []string
	for pattern, r := range surface(t, "REGISTRATION_ENABLED=true") {
		if !r.secured {
			open = append(open, pattern)
		}
		if !strings.Contains(pattern, " /api/v1/") {
			t.Errorf("%s is outside /api/v1", pattern)
		}
	}
	slices.Sort(open)
	want := []string{
		"POST /api/v1/auth/2fa/verify", "POST /api/v1/auth/login", "POST /api/v1/auth/password-reset",
		"POST /api/v1/auth/password-reset/confirm", "POST /api/v1/auth/refresh", "POST /api/v1/auth/register",
	}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("open routes (-want +got):\n%s", diff)
	}
}

// The endpoints, and who may call them.
func TestRoutesAreTheSpecified(t *testing.T) {
	routes := surface(t)
	admin, staff := []web.Role{web.Admin}, []web.Role{web.Clinician}
	want := map[string][]web.Role{
		"POST /api/v1/auth/2fa/enrol": nil, "POST /api/v1/auth/2fa/confirm": nil, "POST /api/v1/auth/2fa/disable": nil,
		"POST /api/v1/auth/logout": nil, "POST /api/v1/auth/logout-all": nil, "GET /api/v1/auth/me": nil,
		"GET /api/v1/auth/sessions": nil, "DELETE /api/v1/auth/sessions/{id}": nil, "POST /api/v1/auth/password-change": nil,
		"GET /api/v1/users": admin, "POST /api/v1/users": admin, "PATCH /api/v1/users/{id}": admin, "DELETE /api/v1/admin/locks/{policy}/{ip}": admin,
		"POST /api/v1/patients": staff, "DELETE /api/v1/patients/{id}": staff,
		"GET /api/v1/patients": {}, "GET /api/v1/patients/{id}": {}, "PATCH /api/v1/patients/{id}": {},
		"POST /api/v1/medications": {}, "GET /api/v1/medications": {}, "GET /api/v1/medications/low-stock": {},
		"GET /api/v1/medications/{id}": {}, "PATCH /api/v1/medications/{id}": {}, "DELETE /api/v1/medications/{id}": {},
		"POST /api/v1/medications/{id}/stock": {}, "POST /api/v1/medications/{id}/reminders/generate": {},
		"GET /api/v1/reminders": {}, "GET /api/v1/reminders/{id}": {}, "DELETE /api/v1/reminders/{id}": {},
		"POST /api/v1/reminders/{id}/taken": {}, "POST /api/v1/reminders/{id}/skipped": {}, "POST /api/v1/reminders/{id}/missed": {},
		"POST /api/v1/logs": {}, "GET /api/v1/logs": {}, "GET /api/v1/logs/{id}": {}, "PATCH /api/v1/logs/{id}": {}, "POST /api/v1/logs/{id}/void": {},
		"GET /api/v1/analytics/adherence": {}, "GET /api/v1/analytics/recent": {},
	}
	for _, pattern := range slices.Sorted(maps.Keys(want)) {
		r, ok := routes[pattern]
		if !ok {
			t.Errorf("no route %s", pattern)
			continue
		}
		if roles := want[pattern]; len(roles) > 0 && fmt.Sprint(r.roles) != fmt.Sprint(roles) {
			t.Errorf("%s: got roles %v, want %v", pattern, r.roles, roles)
		}
		if !r.secured {
			t.Errorf("%s is open", pattern)
		}
	}
}

// The API's description is for developers, complete, and without a page that
// loads scripts from elsewhere.
func TestOpenAPIInDevelopmentAlone(t *testing.T) {
	if _, ok := surface(t)["GET /openapi.json"]; ok {
		t.Error("the description is served outside development")
	}
	s := startLive(t, testConfig(t, "ENV=development"))
	c := from(t, "127.0.0.66")
	a := ask(t, c, "GET", s.url()+"/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/api/v1/auth/login"] == nil {
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
		if a.problem.Code == "" || a.problem.Title == "" || a.problem.RequestID == "" || a.problem.Instance == "" {
			t.Errorf("got %s %s, want a whole problem", a.Status, a.body)
		}
		if strings.Contains(a.body, "canary") || strings.Contains(a.body, "$schema") || a.Header.Get("Link") != "" {
			t.Errorf("got %s, want neither the input nor a link", a.body)
		}
	}
}
