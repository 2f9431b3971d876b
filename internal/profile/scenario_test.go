package profile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vitals/internal/profile"
	"vitals/scenarios"
)

func open(t *testing.T, name string) *profile.Profile {
	t.Helper()
	if !strings.Contains(name, "\n") {
		p, err := profile.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p, err := profile.Read(strings.NewReader(name), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func scenario(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	if !strings.Contains(text, "\n") {
		sc, err := scenarios.Open(text)
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	sc, err := scenarios.Read(strings.NewReader(text), "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// sent is every step as one line.
func sent(sc *scenarios.Scenario) map[string]string {
	out := map[string]string{}
	add := func(s *scenarios.Step) {
		if s == nil {
			return
		}
		header, _ := json.Marshal(s.Header)
		save, _ := json.Marshal(s.Save)
		out[s.Name] = strings.Join([]string{s.Method, s.Path, s.Body, string(header), fmt.Sprint(s.Expect.Status), string(save)}, " ")
	}
	add(&sc.Accounts.SignIn)
	add(sc.Accounts.SignOut)
	add(sc.Accounts.Refresh)
	for _, j := range sc.Journeys {
		for _, task := range j.Tasks {
			for i := range task.Steps {
				add(&task.Steps[i])
			}
		}
	}
	return out
}

// The clinic's own profile changes nothing: what is sent is the same to a byte.
func TestClinicIsItself(t *testing.T) {
	for _, name := range scenarios.All() {
		sc := scenario(t, name)
		got, notes, err := profile.Clinic().Scenario(sc)
		if err != nil || len(notes) > 0 || got.SHA256 != sc.SHA256 {
			t.Errorf("%s: got %v, notes %q, hash %s, want it as it is, %s", name, err, notes, got.SHA256, sc.SHA256)
		}
	}
}

// Every step of every built-in scenario is an operation that both built-in
// profiles have.
func TestEveryScenarioByTheOrigin(t *testing.T) {
	p := open(t, "medication-reminder")
	for _, name := range scenarios.All() {
		sc := scenario(t, name)
		got, notes, err := p.Scenario(sc)
		if err != nil || len(notes) > 0 {
			t.Errorf("%s: got %v and notes %q, want nothing left out", name, err, notes)
			continue
		}
		if got.SHA256 == sc.SHA256 {
			t.Errorf("%s: the hash is that of another API's requests", name)
		}
		for step, line := range sent(got) {
			if strings.Contains(line, "/api/v1/") {
				t.Errorf("%s, %s: sent to the clinic's path: %s", name, step, line)
			}
		}
	}
	got, _, err := p.Scenario(scenario(t, "normal"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"sign in":               `POST /auth/login {"email":"{{email}}","password":"{{password}}"} {} [200] {"refresh_token":"json:refresh_token","token":"json:access_token"}`,
		"sign out":              `POST /auth/logout {"refresh_token":"{{refresh_token}}"} {} [200] {}`,
		"refresh":               `POST /auth/refresh {"refresh_token":"{{refresh_token}}"} {} [200] {"refresh_token":"json:refresh_token","token":"json:access_token"}`,
		"list medications":      `GET /medications/get_all?active_only=true&page_size=20  {} [200] {"medication_id":"json:medications.0.id"}`,
		"create medication":     `POST /medications/create {"current_stock":60,"dosage":"500 mg","form":"capsule","frequency_type":"twice_daily","low_stock_threshold":10,"name":"Amoxicillin {{int 100 999}}","start_date":"{{today}}","start_time":"08:00","timezone":"Europe/Rome"} {} [201] {"own_medication_id":"json:id"}`,
		"list reminders":        `GET /reminders/?status_filter=pending&page_size=20  {} [200] {}`,
		"write intake log":      `POST /logs/create {"action":"{{pick taken|taken|taken|skipped}}","medication_id":"{{medication_id}}","source":"manual","taken_at":"{{now}}"} {} [201] {}`,
		"find pending reminder": `GET /reminders/medications/{{own_medication_id}}?status_filter=pending&page_size=1  {} [200] {"reminder_id":"json:reminders.0.id"}`,
		"mark taken":            `POST /reminders/{{reminder_id}}/taken {"notes":"taken with water"} {} [200] {}`,
		"read adherence":        `GET /logs/adherence/report  {} [200] {}`,
	}
	lines := sent(got)
	for step := range want {
		if lines[step] != want[step] {
			t.Errorf("%s:\ngot  %s\nwant %s", step, lines[step], want[step])
		}
	}
	if len(lines) != len(want) {
		t.Errorf("got %d steps, want %d", len(lines), len(want))
	}
}

const strange = `
profile: strange
values: {ward: 7}
operations:
  login:
    method: POST
    path: /v2/session
    form: true
    body: {mail: "{{email}}", word: "{{password}}"}
    header: {X-Region: north}
    fields: {access_token: data.jwt}
  list: {path: "/v2/wards/{{ward}}/things", fields: {items: ., id: ref}}
  create: {method: PUT, path: /v2/things, body: {label: "n: {{medication_name}}", ward: "{{ward}}"}, ok: 202, fields: {id: data.ref}}
  reminders_of: {path: "/v2/calls/{{id}}"}
`

func TestWhatIsLackingIsLeftOut(t *testing.T) {
	sc := scenario(t, "smoke")
	got, notes, err := open(t, strange).Scenario(sc)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"sign in":           `POST /v2/session mail={{email}}&word={{password}} {"Content-Type":"application/x-www-form-urlencoded","X-Region":"north"} [] {"token":"json:data.jwt"}`,
		"list medications":  `GET /v2/wards/7/things  {} [] {}`,
		"create medication": `PUT /v2/things {"label":"n: Amoxicillin {{int 100 999}}","ward":7} {} [202] {}`,
	}
	if lines := sent(got); len(lines) != len(want) {
		t.Errorf("got %d steps %q, want %d", len(lines), lines, len(want))
	} else {
		for step := range want {
			if lines[step] != want[step] {
				t.Errorf("%s:\ngot  %s\nwant %s", step, lines[step], want[step])
			}
		}
	}
	slices.Sort(notes)
	for i, want := range []string{
		`profile strange has no operation "logout": users do not sign out`,
		`profile strange has no operation "refresh": users do not refresh a session`,
		`task "list reminders" (weight 8 of 36, 22 %) is left out: profile strange has no operation "list_reminders" (step "list reminders")`,
		`task "mark reminder taken" (weight 1 of 36, 3 %) is left out: profile strange has no operation "take_reminder" (step "mark taken")`,
		`task "read adherence" (weight 1 of 36, 3 %) is left out: profile strange has no operation "adherence" (step "read adherence")`,
		`task "write intake log" (weight 6 of 36, 17 %) is left out: profile strange has no operation "write_log" (step "write intake log")`,
	} {
		if i >= len(notes) || notes[i] != want {
			t.Errorf("notes: got %q, want %q", notes, want)
			break
		}
	}
	if len(sc.Journeys[0].Tasks) != 6 || sc.Accounts.SignIn.Path != "/api/v1/auth/login" || sc.Accounts.SignOut == nil {
		t.Error("the scenario itself was changed")
	}
}

const mine = `
name: mine
users: 1
run_for: 10s
accounts:
  sign_in: {post: /api/v1/auth/login, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:access_token}}
journeys:
  - name: j
    tasks:
      - {name: make, post: /api/v1/medications, body: {name: x}, save: {own: json:id}}
      - {name: look, get: "/api/v1/medications/{{own}}", expect: {status: 404, json: {items.0.id: "1"}}}
      - {name: raw, get: /elsewhere}
`

func TestScenarioMistakes(t *testing.T) {
	login := "\n  login: {method: POST, path: /in}\n"
	for _, c := range []struct{ name, profile, scenario, want string }{
		{"nobody can sign in", "profile: p\noperations: {list: {path: /things}}", "smoke", `nobody can sign in: the profile has no operation "login"`},
		{"nothing left", "profile: p\noperations:" + login, "smoke", "nothing is left of its journeys:\n  "},
		{"a value nobody gives", "profile: p\noperations:" + login + `  list: {path: "/wards/{{id}}"}`, "smoke", `operation "list", for step "list medications": no value for {{id}}`},
		{"a target on what is gone", "profile: p\noperations:" + login + "  create: {method: POST, path: /things}", strings.Replace(mine, "accounts:", "targets: [p95(look) < 1s]\naccounts:", 1), `has no step "look"`},
	} {
		got, _, err := open(t, c.profile).Scenario(scenario(t, c.scenario))
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestScenarioOfOnesOwn(t *testing.T) {
	p := open(t, "profile: p\noperations:\n  login: {method: POST, path: /in}\n  create: {method: POST, path: /things}\n  get: {path: \"/things/{{id}}\", ok: 206}")
	got, notes, err := p.Scenario(scenario(t, mine))
	if err != nil {
		t.Fatal(err)
	}
	lines := sent(got)
	for step, want := range map[string]string{
		"make": "POST /things  {} [] {\"own\":\"json:id\"}",
		"look": "GET /things/{{own}}  {} [404] {}", // not the success of the operation: it stays
		"raw":  "GET /elsewhere  null [] null",
	} {
		if lines[step] != want {
			t.Errorf("%s: got %q, want %q", step, lines[step], want)
		}
	}
	if len(notes) != 1 || !strings.Contains(notes[0], `step "raw" is no operation of the clinic`) {
		t.Errorf("got notes %q, want the step that is sent as it stands", notes)
	}
	// Without what saves {{own}}, the task that uses it cannot be drawn.
	p = open(t, "profile: p\noperations:\n  login: {method: POST, path: /in}\n  get: {path: \"/things/{{id}}\"}")
	got, notes, err = p.Scenario(scenario(t, mine))
	if err != nil || len(sent(got)) != 2 || !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "nothing that is left saves {{own}}") }) {
		t.Errorf("got %v, %q, want the task left out that waits for another", err, notes)
	}
}

// A scenario that was written for the profile's API needs no translation, and no
// note on each of its steps.
func TestScenarioOfTheProfilesAPI(t *testing.T) {
	text := `
name: own
users: 1
run_for: 10s
journeys:
  - name: j
    tasks: [{name: look, get: /v2/orders}]
`
	sc := scenario(t, text)
	got, notes, err := open(t, "profile: p\noperations: {list: {path: /v2/orders}}").Scenario(sc)
	if err != nil || got != sc || len(notes) != 0 {
		t.Errorf("got %v, notes %q, %v, want the scenario as it stands", got, notes, err)
	}
}
