package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// asPostman is a collection of one request after a sign-in, whose saved answers are given.
func asPostman(request, signInAnswers string) string {
	return fmt.Sprintf(`{"info": {"name": "Tea", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "auth": {"type": "bearer"},
		"variable": [{"key": "zip", "value": "02142"}, {"key": "qty", "value": "7"}, {"key": "shade", "value": "pm-4711", "type": "secret"}],
		"item": [{"name": "Sign in", "request": {"auth": {"type": "noauth"}, "method": "POST", "url": "http://t.example/login", "body": {"mode": "raw", "raw": "{\"email\":\"a\",\"password\":\"b\"}"}}, "response": [%s]},
		{"name": "It", %s}]}`, signInAnswers, request)
}

// Variables that Postman makes up are made up in place; what has no like is marked.
func TestPostmanVariables(t *testing.T) {
	post := func(raw string) string {
		return fmt.Sprintf(`"request": {"method": "POST", "url": "http://t.example/orders", "body": {"mode": "raw", "raw": %q}}`, raw)
	}
	const time, name = "# decide: the variable $timestamp: no placeholder", "# decide: the variable $randomFirstName"
	for request, want := range map[string][]string{
		post(`{"item": "sencha {{$randomInt}} at {{zip}}"}`):      {`body: {"item":"sencha {{int 0 1000}} at 02142"}`},
		post(`{"item": "order {{$guid}}", "by": "{{$guid}}"}`):    {`body: {"by":"{{uuid}}","item":"order {{uuid}}"}`},
		post(`{"a\"": "{{qty}}", "qty": {{$randomInt}}}`):         {`"qty":{{int 0 1000}}}`},
		post(`{"qty": {{qty}}, "at": {{$isoTimestamp}}}`):         {`body: {"at":{{now}},"qty":7}`},
		post(`[{"n": {{$timestamp}}}]`):                           {`body: [{"n":1767225600}]`, time},
		post(`{"n": "{{$timestamp}}"}`):                           {`body: {"n":"1767225600"}`, time},
		post(`{"who": "x {{$randomFirstName}}"}`):                 {`body: {"who":"x RANDOM-FIRST-NAME"}`, name},
		post(`{"n": {{$randomFirstName}}}`):                       {`body: {"n":"RANDOM-FIRST-NAME"}`, name},
		post(`{"note": "{{shade}}"}`):                             {`body: {"note":"removed-by-vitals-init"}`},
		post(`{"note": "{ {uuid} } {{{{x}}}}", "b": "{ {now}}"}`): {`"b":"{ {now} }"`},
		post(`order {{$guid}}`):                                   {`body: "order {{uuid}}"`},
		`"request": {"method": "GET", "url": "http://t.example/orders/a b{{$guid}}?n={{$randomInt}}&of=x+{{$randomInt}}", "header": [{"key": "X-Trace", "value": "t-{{$guid}}"}]}`: {
			`get: "/orders/a%20b{{uuid}}?n={{int 0 1000}}&of=x+{{int 0 1000}}"`, `header: {X-Trace: "t-{{uuid}}"}`},
		`"request": {"method": "POST", "url": "http://t.example/orders", "body": {"mode": "urlencoded", "urlencoded": [{"key": "note", "value": "a & {{$guid}} +"}]}}`: {`body: "note=a+%26+{{uuid}}+%2B"`},
	} {
		f := imported(t, asPostman(request, ""), "tea.json")
		for _, w := range want {
			if !strings.Contains(f.Scenario, w) || strings.Contains(f.Scenario, "4711") {
				t.Errorf("%s: want %q in\n%s", request, w, f.Scenario)
			}
		}
	}
	if f := imported(t, asPostman(post(`{"item": "tea {{$randomInt}}", "qty": {{$randomInt}}}`), ""), "tea.json"); !strings.Contains(f.Profile, `body: {"item":"tea 500","qty":500}`) {
		t.Errorf("the profile has no numbers that are made anew: got\n%s", f.Profile)
	}
}

// Saved refusals tell how the API refuses, where they say what for.
func TestPostmanRefusals(t *testing.T) {
	me := func(answers string) string {
		return `"request": {"method": "GET", "url": "http://t.example/me"}, "response": [` + answers + `]`
	}
	const ok, wrong = `{"code": 200, "body": "{\"access_token\":\"tok-4711-abc\"}"}`, "refused: "
	for _, c := range []struct {
		signIn, me  string
		login, mine string
	}{
		{`{"code": 400, "name": "no email"}, {"code": 401}, ` + ok, `{"code": 401}`, "refused: 401", ""},
		{`{"code": 400, "name": "Wrong password, malformed"}, {"code": 401}, ` + ok, ``, "refused: 401", ""},
		{`{"code": 422, "name": "Wrong password"}, ` + ok, `{"code": 403, "originalRequest": {"auth": {"type": "noauth"}}}`, "refused: 422", "refused: 403"},
		{`{"code": 422, "name": "missing email"}, {"code": 423, "name": "wrong password, locked"}, ` + ok, `{"code": 404, "originalRequest": {"auth": {"type": "noauth"}}}`, "", ""},
	} {
		f := imported(t, asPostman(me(c.me), c.signIn), "tea.json")
		login, mine, _ := strings.Cut(f.Profile, "\n  me:")
		for text, want := range map[string]string{login: c.login, mine: c.mine} {
			if want == "" && strings.Contains(text, "\n    "+wrong) || !strings.Contains(text, want) {
				t.Errorf("%s and %s: want %q in\n%s", c.signIn, c.me, want, f.Profile)
			}
		}
	}
}
