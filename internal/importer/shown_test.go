package importer_test

import (
	"strings"
	"testing"
)

const (
	annSignsIn = `{"email":"ann@town.example","password":"S3cret-9"}`
	annsToken  = "tok-ann-4711"
)

func town(signIn caught, later [][2]string, query string) string {
	signIn.method, signIn.path = "POST", "/login"
	if signIn.body == "" {
		signIn.body = annSignsIn
	}
	return har(caught{method: "GET", path: "/health"}, caught{method: "POST", path: "/login", body: `{"email":"ann@town.example","password":"wrong-one"}`, status: 401}, signIn,
		caught{method: "GET", path: "/orders" + query, header: later, answer: `{"orders":[]}`},
		caught{method: "GET", path: "/orders", status: 403, header: [][2]string{{"Cookie", "_ga=GA1.1.99; consent=yes"}}},
		caught{method: "POST", path: "/orders" + query, header: later, body: `{"note":"x"}`, status: 201, answer: `{"id":"o-2342"}`})
}

// However a session is shown, the steps that showed it are signed, and the others are not.
func TestSessionsAreShownAsTheyWere(t *testing.T) {
	for name, c := range map[string]struct {
		source            string
		scenario, profile []string
		none              string
	}{
		"header": {
			town(caught{answer: `{"token":"` + annsToken + `"}`}, [][2]string{{"X-Auth-Token", annsToken}}, ""),
			[]string{"save: {token: json:token}", "get: /orders\n        header: {X-Auth-Token: \"{{token}}\"}\n        expect"},
			[]string{"path: /orders\n    header: {X-Auth-Token: \"{{access_token}}\"}\n    ok: 200\n    refused: 403"}, "access_token: PLACE",
		},
		"query": {
			town(caught{answer: `{"token":"` + annsToken + `"}`}, nil, "?key="+annsToken),
			[]string{"save: {token: json:token}", "get: \"/orders?key={{token}}\"\n        expect"},
			[]string{"path: \"/orders?key={{access_token}}\"\n    ok: 200\n    refused: 403"}, "access_token: PLACE",
		},
		"cookies": {
			town(caught{answer: `{"user":{"id":"u-12345678"}}`, answerHeader: [][2]string{{"Set-Cookie", "sid=" + annsToken + "; HttpOnly"}}}, [][2]string{{"Cookie", "sid=" + annsToken}}, ""),
			[]string{"\ncookies: keep\n", "the cookies that it is given", "get: /orders\n        expect"},
			[]string{"path: /orders\n    ok: 200\n    refused: 403", "# decide: the session is a cookie"}, "save: {token",
		},
		"header, and a cookie that no answer set": {
			town(caught{answer: `{"token":"` + annsToken + `"}`}, [][2]string{{"Cookie", "_ga=GA1.1.99; consent=yes"}, {"X-Auth-Token", annsToken}}, ""),
			[]string{`header: {X-Auth-Token: "{{token}}"}`}, []string{"path: /orders\n    header: {X-Auth-Token: \"{{access_token}}\"}\n    ok: 200\n    refused: 403"}, "cookies: keep",
		},
		"cookies that were set before": {
			strings.Replace(town(caught{answer: `{"ok":true}`}, [][2]string{{"Cookie", "_ga=GA1.1.99; PHPSESSID=" + annsToken}}, ""), `"headers": []`, `"headers": [{"name": "Set-Cookie", "value": "a=b"}, {"name": "Set-Cookie", "value": "PHPSESSID=`+annsToken+`"}]`, 2),
			[]string{"get: /orders\n        expect"}, []string{"path: /orders\n    ok: 200\n    refused: 403"}, "cookies: keep",
		},
		"cookies, and one against forgery": {
			town(caught{answer: `{"ok":true}`, answerHeader: [][2]string{{"Set-Cookie", "sid=" + annsToken}, {"Set-Cookie", "XSRF-TOKEN=forge-12345; Path=/"}}}, [][2]string{{"Cookie", "sid=" + annsToken}, {"X-XSRF-TOKEN", "forge-12345"}}, ""),
			[]string{"\ncookies: keep\n", "save: {xsrf_token: cookie:XSRF-TOKEN}", `header: {X-XSRF-TOKEN: "{{xsrf_token}}"}`}, nil, "forge-",
		},
		"form and cookies": {
			town(caught{kind: "application/x-www-form-urlencoded", body: "email=ann%40town.example&password=S3cret-9", status: 302, answerHeader: [][2]string{{"Set-Cookie", "sid=" + annsToken}, {"Location", "/home"}}}, [][2]string{{"Cookie", "sid=" + annsToken}}, ""),
			[]string{"\ncookies: keep\n", "expect: {status: 302}", "body: \"email={{email}}&password={{password}}\""},
			[]string{"form: true\n    ok: 302\n    refused: 401"}, "save: {token",
		},
		"header of the answer": {
			town(caught{answer: `{"ok":true}`, answerHeader: [][2]string{{"X-Auth-Token", annsToken}}}, [][2]string{{"X-Auth-Token", annsToken}}, ""),
			[]string{"save: {token: header:X-Auth-Token}", `header: {X-Auth-Token: "{{token}}"}`},
			[]string{"the token stands in the header X-Auth-Token of the answer", `header: {X-Auth-Token: "{{access_token}}"}`}, "json:access_token",
		},
		"header of the answer with a scheme": {
			town(caught{answer: `{"ok":true}`, answerHeader: [][2]string{{"Authorization", "Bearer " + annsToken}}}, [][2]string{{"Authorization", "Bearer " + annsToken}}, ""),
			[]string{`save: {token: "header:Authorization regexp:Bearer (.+)"}`, "get: /orders\n        expect"}, nil, "{{token}}",
		},
		"a scheme of its own": {
			town(caught{answer: `{"token":"` + annsToken + `"}`}, [][2]string{{"Authorization", "Token " + annsToken}}, ""),
			[]string{`header: {Authorization: "Token {{token}}"}`}, []string{`header: {Authorization: "Token {{access_token}}"}`}, "PLACE",
		},
	} {
		f := imported(t, c.source, "town.har")
		for _, want := range c.scenario {
			if !strings.Contains(f.Scenario, want) {
				t.Errorf("%s: want %q in\n%s", name, want, f.Scenario)
			}
		}
		for _, want := range c.profile {
			if !strings.Contains(f.Profile, want) {
				t.Errorf("%s: want %q in\n%s", name, want, f.Profile)
			}
		}
		if all := f.Scenario + f.Profile; strings.Contains(all, c.none) || strings.Contains(all, annsToken) || strings.Count(f.Scenario, "anonymous: true") != 1 {
			t.Errorf("%s: want no %q, no token, and the health check alone anonymous, in\n%s", name, c.none, all)
		}
	}
}

// A key of HTTP Basic is taken from the environment: no scenario can make one.
func TestBasicIsOfTheEnvironment(t *testing.T) {
	of := [][2]string{{"Authorization", "Basic YW5uOnNlY3JldA=="}}
	f := imported(t, har(caught{method: "GET", path: "/orders", header: of, answer: `{"orders":[]}`}, caught{method: "GET", path: "/zones", header: of}), "town.har")
	for _, want := range []string{`header: {Authorization: "Basic {{env API_BASIC}}"}`, "# decide: HTTP Basic"} {
		if n := strings.Count(f.Scenario, want); n != map[bool]int{true: 2, false: 1}[strings.HasPrefix(want, "header")] {
			t.Errorf("got %q %d times in\n%s", want, n, f.Scenario)
		}
	}
	if strings.Contains(f.Scenario+f.Profile, "YW5u") || strings.Contains(f.Scenario, "anonymous") || !strings.Contains(f.Profile, "# decide: who asks") {
		t.Errorf("got\n%s\n%s", f.Scenario, f.Profile)
	}
}
