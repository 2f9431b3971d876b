package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"vitals/server/config"
	"vitals/server/servertest"
)

type (
	logBuffer = servertest.Log
	answer    = servertest.Answer
)

var (
	testConfig = servertest.Config
	ask        = servertest.Ask
	metric     = servertest.Metric
	raw        = servertest.Raw
)

// ask sends one request; headers are "Name: value".
func (b *testbed) ask(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return ask(t, b.http, method, b.url+path, body, headers...)
}

const seedSecret = "canary-7Vq2-password"

// seed fills the database with n patients.
func seed(t testing.TB, cfg *config.Config, n int) {
	t.Helper()
	if _, err := Seed(t.Context(), cfg, n, seedSecret); err != nil {
		t.Fatal(err)
	}
}

func patient(n int) string { return fmt.Sprintf("patient-%06d@clinic.test", n) }

func login(t testing.TB, c *http.Client, url, email, password string) answer {
	t.Helper()
	return ask(t, c, "POST", url+"/api/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// accessToken signs a patient in.
func accessToken(t testing.TB, c *http.Client, url string, n int) string {
	t.Helper()
	a := login(t, c, url, patient(n), seedSecret)
	var body struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.Text), &body); err != nil || body.Access == "" {
		t.Fatalf("sign in patient %d: got %d %s", n, a.StatusCode, a.Text)
	}
	return body.Access
}
