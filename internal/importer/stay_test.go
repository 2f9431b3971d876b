package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// capture is a HAR of requests, each a method, a path, a body and the answer to it.
func capture(requests ...[4]string) string {
	var entries []string
	for i, r := range requests {
		post := ""
		if r[2] != "" {
			post = fmt.Sprintf(`, "postData": {"mimeType": "application/json", "text": %q}`, r[2])
		}
		entries = append(entries, fmt.Sprintf(`{"startedDateTime": "2026-05-04T08:00:%02dZ", "time": 20, "request": {"method": %q, "url": "http://town.example%s", "headers": [{"name": "Authorization", "value": "Bearer x"}%s]%s},
			"response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": %q}}}`, 2*i, r[0], r[1], map[bool]string{true: `, {"name": "X-Shop", "value": "shop-98765"}`}[strings.Contains(r[1], "refresh")], post, r[3]))
	}
	return `{"log": {"entries": [` + strings.Join(entries, ",\n") + `]}}`
}

var signedIn = [4]string{"POST", "/sessions", `{"email":"ann@town.example","password":"S3cret-9"}`, `{"data":{"accessToken":"acc-111111111","refreshToken":"ref-111111111"}}`}

// Requests that refresh and sign out are the accounts', and no tasks; as they were sent.
func TestCapturedSessionsAreKept(t *testing.T) {
	f := imported(t, capture(signedIn,
		[4]string{"GET", "/shops", "", `{"items":[{"id":"shop-98765"}]}`},
		[4]string{"POST", "/sessions/refresh", `{"refreshToken":"ref-111111111"}`, `{"data":{"accessToken":"acc-222222222","refreshToken":"ref-222222222"}}`},
		[4]string{"POST", "/sessions/refresh", `{"refreshToken":"ref-222222222"}`, `{"data":{"accessToken":"acc-333333333","refreshToken":"ref-333333333"}}`},
		[4]string{"DELETE", "/sessions/current", "", ""},
	), "town.har")
	accounts, journeys, _ := strings.Cut(f.Scenario, "journeys:")
	for _, want := range []string{
		"  refresh:\n    post: /sessions/refresh\n", `body: {"refreshToken":"{{refresh_token}}"}`,
		"save: {refresh_token: json:data.refreshToken, token: json:data.accessToken}", "  sign_out:\n    delete: /sessions/current\n",
		"# decide: shop_id: a request that is elsewhere saves it\n  refresh:", // before it, a refresh has what the sign-in saved
	} {
		if !strings.Contains(accounts, want) {
			t.Errorf("got\n%s\nwant %q", accounts, want)
		}
	}
	if strings.Contains(journeys, "session") {
		t.Errorf("got\n%s\nwant no sessions in it", journeys)
	}
	if !strings.Contains(f.Profile, "  logout:\n    method: DELETE\n    path: /sessions/current\n") {
		t.Errorf("got\n%s\nwant the sign-out in it", f.Profile)
	}
}

// An id is forgotten with its object, unless the source sent it again.
func TestIdsAreForgottenWithTheirObjects(t *testing.T) {
	made := [4]string{"POST", "/permits", `{"days":3}`, `{"id":"prm-12345678"}`}
	gone := [4]string{"DELETE", "/permits/prm-12345678", "", ""}
	for want, requests := range map[int][][4]string{
		1: {signedIn, made, gone},
		0: {signedIn, made, gone, {"POST", "/permits/prm-12345678/restore", "", `{"id":"prm-12345678"}`}},
	} {
		f := imported(t, capture(requests...), "town.har")
		if got := strings.Count(f.Scenario, "forget: [permit_id]"); got != want {
			t.Errorf("got it forgotten %d times, want %d:\n%s", got, want, f.Scenario)
		}
	}
}

// Where a secret was taken out stands a mark, in the scenario and the profile.
func TestWhatWasTakenOutIsMarked(t *testing.T) {
	for _, request := range []string{
		`"method": "POST", "url": "http://town.example/zones", "body": {"mode": "raw", "raw": "{\"name\": \"{{apiKey}}\"}"}`,
		`"method": "POST", "url": "http://town.example/zones", "body": {"mode": "urlencoded", "urlencoded": [{"key": "name", "value": "{{apiKey}}"}]}`,
		`"method": "POST", "url": "http://town.example/zones", "header": [{"key": "Content-Type", "value": "text/plain"}], "body": {"mode": "raw", "raw": "name {{apiKey}}"}`,
		`"method": "GET", "url": "http://town.example/zones?name={{apiKey}}"`,
		`"method": "GET", "url": "http://town.example/zones/{{apiKey}}"`,
		`"method": "GET", "url": "http://town.example/zones", "header": [{"key": "X-Name", "value": "key {{apiKey}}"}]`,
	} {
		f := imported(t, `{"info": {"name": "Town", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "variable": [{"key": "apiKey", "value": "abc"}],
			"item": [{"name": "Zones", "request": {`+request+`}}]}`, "town.json")
		for _, text := range []string{f.Scenario, f.Profile} {
			if n := strings.Count(text, "removed-by-vitals-init"); n > 0 && !strings.Contains(text, "secret") && !strings.Contains(text, "# decide: a value for name") {
				t.Errorf("%s\ngot\n%s\nwant a mark of what was taken out", request, text)
			}
		}
		if !strings.Contains(f.Scenario, "removed-by-vitals-init") || strings.Contains(f.Scenario, "abc") {
			t.Errorf("%s\ngot\n%s", request, f.Scenario)
		}
	}
}
