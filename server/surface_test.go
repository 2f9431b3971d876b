package server

import (
	"fmt"
	"log/slog"
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
	cfg := testConfig(t, vars...)
	services, err := OpenServices(t.Context(), cfg, Host{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := services.Close(); err != nil {
			t.Error(err)
		}
	})
	api, err := services.New(cfg)
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
}
