package profile_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"vitals/internal/profile"
	"vitals/scenarios"
)

func TestBuiltIn(t *testing.T) {
	for _, name := range profile.Names() {
		p, err := profile.Open(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Name != name {
			t.Errorf("%s calls itself %q", name, p.Name)
		}
		if _, ok := p.Operations["login"]; !ok {
			t.Errorf("%s: no login", name)
		}
	}
	got := profile.Clinic().Limits["login"]
	want := profile.Limit{Limit: 5, Window: 300 * time.Second, Lock: 900 * time.Second, Counts: profile.Failures, Success: profile.Clears, By: profile.ByAddress, Account: 20}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("login limit: got %+v, want %+v", got, want)
	}
}

func TestRequest(t *testing.T) {
	p, err := profile.Read(strings.NewReader(`
profile: t
values: {n: 3, name: Default}
operations:
  get: {path: "/things/{{id}}?q={{name}}"}
  create: {method: POST, path: /things, body: {name: "a {{name}}", n: "{{n}}", deep: [{x: "{{name}}"}], on: true}}
  login: {method: POST, path: /token, form: true, body: {username: "{{email}}"}, fields: {access_token: data.0.jwt}}
`), "t.yaml")
	if err != nil {
		t.Fatal(err)
	}
	check := func(op string, values map[string]string, wantPath, wantBody, wantKind string) {
		t.Helper()
		path, body, kind, err := p.Operations[op].Request(values, p.Values)
		if err != nil || path != wantPath || string(body) != wantBody || kind != wantKind {
			t.Errorf("%s: got %q %q %q %v, want %q %q %q", op, path, body, kind, err, wantPath, wantBody, wantKind)
		}
	}
	check("get", map[string]string{"id": "a/b c"}, "/things/a%2Fb%20c?q=Default", "", "")
	check("create", map[string]string{"name": `q"uote`}, "/things", `{"deep":[{"x":"q\"uote"}],"n":3,"name":"a q\"uote","on":true}`, "application/json")
	check("login", map[string]string{"email": "a&b@c"}, "/token", "username=a%26b%40c", "application/x-www-form-urlencoded")
	if _, _, _, err := p.Operations["get"].Request(nil, nil); err == nil || !strings.Contains(err.Error(), "{{id}}") {
		t.Errorf("got %v, want the missing value named", err)
	}
	if got, ok := p.Operations["login"].Field([]byte(`{"data":[{"jwt":"x"}]}`), "access_token"); got != "x" || !ok {
		t.Errorf("got %q %v", got, ok)
	}
	for _, body := range []string{`{"data":[]}`, `{"data":{"0":1}}`, `[]`, `no`, `{"data":[{"jwt":null}]}`} {
		if got, ok := p.Operations["login"].Field([]byte(body), "access_token"); ok {
			t.Errorf("%s: got %q, want nothing", body, got)
		}
	}
}

func TestMistakesHavePlaces(t *testing.T) {
	for text, want := range map[string]string{
		"profile: x\noperations:\n  logn: {path: /a}":                                                           `p.yaml:3:3: unknown operation "logn" (did you mean "login"?)`,
		"profile: x\noperations:\n  singout: {path: /a}":                                                        `p.yaml:3:3: unknown operation "singout" (known: add_stock, adherence, create, delete, disable_user, generate_reminders, get, get_log, health, list, list_logs, list_reminders, live, login, logout, low_stock, me, miss_reminder, password_change, password_reset, password_reset_confirm, ready, recent, refresh, register, reminders_of, sessions, skip_reminder, take_reminder, two_factor_confirm, two_factor_disable, two_factor_enrol, two_factor_verify, update, update_log, users, void_log, write_log)`,
		"profile: x\noperations:\n  login: {paht: /a}":                                                          `p.yaml:3:11: unknown field "paht" in an operation (did you mean "path"?)`,
		"profile: x\noperations:\n  login: {path: a}":                                                           `p.yaml:3:17: path: found "a", expected one that begins with /`,
		"profile: x\noperations:\n  login: {method: POST}":                                                      `p.yaml:3:10: an operation needs its path (as in path: /api/v1/auth/login)`,
		"profile: x\noperations:\n  login: {path: /a, policy: logon}\nlimits:\n  login: {limit: 5, window: 5m}": `p.yaml:3:3: login: its policy "logon" is not in limits (did you mean "login"?)`,
		"profile: x\noperations: {login: {path: /a}}\nlimits: {login: {limit: 5, window: 300}}":                 `p.yaml:3:36: window: found "300", expected a time such as 90s or 5m (write the unit: 300s or 300ms)`,
		"profile: x\noperations: {login: {path: /a}}\ntoken: abc":                                               `p.yaml:3:8: token: want a regular expression with one group (as in token=([A-Za-z0-9_-]+))`,
		"operations: {login: {path: /a}}":                                                                       `p.yaml:1:1: a profile needs profile`,
		"profile: x\noperations: {login: {path: /a, fields: {acess_token: x}}}":                                 `p.yaml:2:41: unknown field "acess_token": a name of your own is read where an operation asks for it as {{acess_token}} (did you mean "access_token"?)`,
		"profile: x\noperations:\n  list: {method: GTE, ok: 2000, path: /a, fields: {items: data..orders}}\n  get: {path: '/v2/orders/{{idd}}'}": "p.yaml:3:18: method: found \"GTE\" (did you mean \"GET\"?)\n" +
			"p.yaml:3:27: ok: found \"2000\", expected a status from 100 to 599\n" +
			"p.yaml:3:59: a field's place: found \"data..orders\", expected names with a dot between (as in data.items.0.id, or . for the whole answer)\n" +
			"p.yaml:4:15: nothing fills in {{idd}} (did you mean \"id\"?)",
		"profile: x\noperations:\n  list: {path: /a, body: {a: 02142, b: 0777, c: 1_000, d: 0x1F, e: .inf, f: 'x{{B}}'}}": `p.yaml:3:30: found 02142, expected a decimal number as JSON writes it (quote it if it is text: "02142")` + "\n" +
			`p.yaml:3:40: found 0777, expected a decimal number as JSON writes it (quote it if it is text: "0777")` + "\n" +
			`p.yaml:3:49: found 1_000, expected a decimal number as JSON writes it (quote it if it is text: "1_000")` + "\n" +
			`p.yaml:3:59: found 0x1F, expected a decimal number as JSON writes it (quote it if it is text: "0x1F")` + "\n" +
			`p.yaml:3:68: found .inf, expected a decimal number as JSON writes it (quote it if it is text: ".inf")` + "\n" +
			`p.yaml:3:77: found "{{B}}", expected a placeholder of small letters, digits and underscores (as in {{user_id}})`,
		"profile: x\noperations: {login: {path: /a}}\nlimits: {login: {limit: 5, lock: 5m, statuses: [42], by: adress, says: 'x:0'}, b: {limit: 1}, c: {limit: 1, delay: {to: 5s}}}": `p.yaml:3:49: statuses: found "42", expected a status from 100 to 599` + "\n" +
			`p.yaml:3:58: by: found "adress" (did you mean "address"?)` + "\n" +
			`p.yaml:3:72: says: found "x:0", expected a file of the repository and a line (as in docs/API.md:42)` + "\n" +
			"p.yaml:3:83: a limit needs window, lock or delay (as in {limit: 5, window: 300s})\n" +
			"p.yaml:3:116: a delay needs the first wait, and no less at most (as in {from: 1s, to: 15m})",
		"profile: x\noperations: {login: {path: /a}}\npromises: {headers: none, limit_headers: {form: xratelimit}, health: {exact: [live]}, standards: [asvs]}": `p.yaml:3:12: unknown field "headers" in promises (known: admins, cors, errors, health, limit_headers, objects, request_ids, security_headers, standards)` + "\n" +
			`p.yaml:3:49: form: found "xratelimit" (did you mean "x-ratelimit"?)` + "\n" +
			"p.yaml:3:79: exact: the fields of live are not promised (write which they are)\n" +
			`p.yaml:3:99: standards: found "asvs" (known: asvs-5.0, production-guide)`,
		"profile: x\noperations:\n  login: {path: /a, ok: 302, refused: 302}\n  me: {path: /b, refused: 204}\n  logout: {path: /c, ok: 401}\n  list: {path: /d, ok: 200, refused: 204}\n  refresh: {path: /e, refused: 20x}": `p.yaml:3:39: refused: found 302, which is ok as well, so that a wrong credential could not be told from a right one (one of them needs another status)` + "\n" +
			`p.yaml:4:27: refused: found 204, which is a success where ok is left out, so that a wrong credential could not be told from a right one (give ok another status)` + "\n" +
			`p.yaml:5:26: ok: found 401, which is that of a refusal where refused is left out, so that a wrong credential could not be told from a right one (give refused another status)` + "\n" +
			`p.yaml:7:32: refused: found "20x", expected a status from 100 to 599`,
		"profile: x\noperations:\n  login: {path: /a, policy: login}\n  me: {path: /b, ok: 200}\n  list: {path: /c, policy: none}\nlimits: {login: {limit: 5, window: 5m, statuses: [429, 200]}, api: {limit: 5, window: 5m, statuses: [204, 401]}}": `p.yaml:3:3: login: a success is answered 200, and so is a refusal by its limit "login" (statuses:), so that the two could not be told apart (give one of them another status)`,
		"profile: x\noperations: {login: {path: /a}}\nlimits: {a: {limit: 5, delay: {from: 1s}, lock: 5m}, b: {limit: 5, lock: 5m}, c: {limit: 5, delay: {from: 1s}, window: 5m}}":                                                                   `p.yaml:3:24: found delay beside lock: beyond a limit either each try waits longer, or all are refused for so long (leave one of them out)`,
		"profile: x\noperations: {login: {path: /a}}\nvalues: {email: a@b.example, now: 1, start_date: '2026-01-01', access_token: z}": `p.yaml:3:10: values: found "email", expected a name that is not filled in for each request (leave it out, or give yours a name of its own, as in my_email)` + "\n" +
			`p.yaml:3:30: values: found "now", expected a name that is not filled in for each request (leave it out, or give yours a name of its own, as in my_now)` + "\n" +
			`p.yaml:3:64: values: found "access_token", expected a name that is not filled in for each request (leave it out, or give yours a name of its own, as in my_access_token)`,
		"profile: x\noperations: {login: {path: /a}}\npromises:\n  cors:\n    origins:\n      - https://shop.example/\n      - https://shop.example:8443\n      - '*'": `p.yaml:6:9: origins: found "https://shop.example/", expected an origin as browsers send it: scheme, host and any port, without a slash after them (as in https://shop.example)` + "\n" +
			`p.yaml:8:9: origins: found "*", expected an origin as browsers send it: scheme, host and any port, without a slash after them (as in https://shop.example)`,
		// A misspelt word is told once, and nothing that follows from it.
		"profile: x\noperations: {login: {path: /a}}\nlimits: {a: {limit: 5, window: 5m, sucess: clears}, b: {limit: 5, window: 5m, counts: failurs, success: clears}, c: {limit: 5, window: 5m, conts: failures, sucess: clers}}": `p.yaml:3:36: unknown field "sucess" in a limit (did you mean "success"?)` + "\n" +
			`p.yaml:3:36: success: found "clears", expected it only where failures are counted (add counts: failures)` + "\n" +
			`p.yaml:3:87: counts: found "failurs" (did you mean "failures"?)` + "\n" +
			`p.yaml:3:140: unknown field "conts" in a limit (did you mean "counts"?)` + "\n" +
			`p.yaml:3:157: unknown field "sucess" in a limit (did you mean "success"?)` + "\n" +
			`p.yaml:3:165: success: found "clers" (did you mean "clears"?)`,
		"profile: x\noperations: {login: {path: /a, policy: l}}\nlimits: {l: {limit: 5, window: 5m, statuses: [4290]}}": `p.yaml:3:47: statuses: found "4290", expected a status from 100 to 599`,
		"profile: x\noperations: {login: {path: /a}}\npromises: {health: {health: {status: ok}, exact: [helth]}}":       `p.yaml:3:51: exact: found "helth" (did you mean "health"?)`,
	} {
		_, err := profile.Read(strings.NewReader(text), "p.yaml")
		if err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
	if _, err := profile.Open("clinc"); err == nil || !strings.Contains(err.Error(), `did you mean "clinic"?`) {
		t.Errorf("got %v, want the nearest name", err)
	}
}

// An origin is what browsers send, and nothing else.
func TestOrigins(t *testing.T) {
	for text, want := range map[string]string{
		"https://shop.example": "https://shop.example", "http://localhost:3000": "http://localhost:3000", "capacitor://localhost": "capacitor://localhost", "http://[::1]:8080": "http://[::1]:8080",
		"https://shop.example/": "https://shop.example", "https://shop.example/a?b#c": "https://shop.example", "HTTPS://Shop.Example": "https://shop.example", "shop.example": "https://shop.example",
		"https://shop.example:443": "https://shop.example", "http://shop.example:80": "http://shop.example", "https://me:pw@shop.example": "https://shop.example", "shop.example:8443/": "https://shop.example:8443",
		"*": "", "null": "", "https://*.shop.example": "", "https://": "", "https://bücher.example": "", "shop": "", "a.example, b.example": "",
	} {
		if got := profile.Origin(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// A number is sent as it was written.
func TestNumbersStayAsWritten(t *testing.T) {
	p, err := profile.Read(strings.NewReader("profile: x\noperations: {create: {path: /a, body: {big: 12345678901234567890123, dec: 1.10, neg: -3, e: 1e3}}}"), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _, err := p.Operations["create"].Request(nil, nil)
	if want := `{"big":12345678901234567890123,"dec":1.10,"e":1e3,"neg":-3}`; err != nil || string(body) != want {
		t.Errorf("got %s %v, want %s", body, err, want)
	}
}

// The clinic promises all that its guide says.
func TestClinicPromises(t *testing.T) {
	p := profile.Clinic()
	pr := p.Promises
	if pr.LimitHeaders == nil || pr.Health == nil || pr.RequestIDs == nil || pr.CORS == nil || pr.SecurityHeaders == nil || pr.Errors == nil || len(pr.Standards) != len(profile.Standards()) {
		t.Errorf("got %+v, want every promise", pr)
	}
	for _, l := range p.Limits {
		if form, ok := p.Form(l); form != profile.XRateLimit || !ok {
			t.Errorf("got %q %v as the headers of a limit", form, ok)
		}
		if l.Status() != 429 || !l.Refuses(429) || l.Refuses(423) {
			t.Errorf("got %d as the status of a refusal, want 429", l.Status())
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("profile: x\noperations:\n  login: {path: /a, body: {a: [1, {b: '{{c}}'}]}}")
	f.Add(strange)
	smoke, err := scenarios.Open("smoke")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := profile.Read(strings.NewReader(text), "f")
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v and %v", p, err)
		}
		if p == nil {
			return
		}
		for _, op := range p.Operations {
			_, _, _, _ = op.Request(map[string]string{"c": "v"}, p.Values)
			_ = op.Placeholders()
		}
		_, _, _ = p.Scenario(smoke)
	})
}

// says takes a file, or a file and a line, as docs/profiles.md has it; it is opened by nobody.
func TestWherePromisesStand(t *testing.T) {
	for says, want := range map[string]string{
		"docs/api.md:42": "docs/api.md:42", "docs/api.md": "docs/api.md", "../api.md:1": "../api.md:1", "a:b.md:3": "a:b.md:3", "": "p.yaml:2",
		"docs/api.md:0": "!", "docs/api.md:x": "!", "docs/api.md:": "!", ":3": "!", "https://shop.example/api": "!", "a:b.md": "!",
	} {
		field := ""
		if says != "" {
			field = fmt.Sprintf(", says: %q", says)
		}
		p, err := profile.Read(strings.NewReader("profile: x\nlimits: {a: {limit: 5, window: 1m"+field+"}}\noperations: {health: {path: /up}}\n"), "p.yaml")
		got := "!"
		if err == nil {
			got = p.At("limits.a").String()
		} else if !strings.Contains(err.Error(), "expected a file of the repository and a line") {
			t.Errorf("%q: %v", says, err)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", says, got, want)
		}
	}
}
