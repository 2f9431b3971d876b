package profile_test

import (
	"strings"
	"testing"

	"vitals/internal/profile"
	"vitals/scenarios"
)

const guarded = `profile: guarded
operations:
  login: {method: POST, path: /login, body: {mail: "{{email}}", word: "{{password}}"}, fields: {access_token: jwt, csrf: guard.csrf}}
  refresh: {method: POST, path: /renew, header: {Authorization: "Bearer {{access_token}}"}}
  me: {path: /me, header: {X-Token: "{{access_token}}"}}
  list: {path: /orders}
  create: {method: POST, path: /orders, header: {X-CSRF: "{{csrf}}"}, body: {name: "{{medication_name}}", note: "{{notes}}"}}
`

func read(t *testing.T, text string) *profile.Profile {
	t.Helper()
	p, err := profile.Read(strings.NewReader(text), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Placeholders in headers are filled in as those of paths and bodies are: no request goes
// out with one as it stands.
func TestHeadersAreFilledIn(t *testing.T) {
	p := read(t, guarded)
	for _, c := range []struct {
		operation, token, header, want string
		values                         map[string]string
	}{
		{"refresh", "", "Authorization", "Bearer old", map[string]string{"access_token": "old"}},
		{"me", "jwt", "X-Token", "jwt", nil},
		{"me", "", "X-Token", "", nil}, // nobody is signed in
		{"create", "jwt", "X-CSRF", "c", map[string]string{"csrf": "c"}},
	} {
		m, err := p.Message(c.operation, c.token, c.values)
		if got := m.Header.Get(c.header); err != nil || got != c.want {
			t.Errorf("%s: %s is %q, %v, want %q", c.operation, c.header, got, err, c.want)
		}
	}
	if _, err := p.Message("create", "jwt", nil); err == nil || !strings.Contains(err.Error(), "no value for {{csrf}}") {
		t.Errorf("got %v, want an error that names the placeholder", err)
	}
}

// Where neither profile nor probe has a value, one is made.
func TestValuesAreMade(t *testing.T) {
	m, err := read(t, guarded).Message("create", "jwt", map[string]string{"csrf": "c"})
	if err != nil || !strings.Contains(string(m.Body), `"name":"Vitals `) || !strings.Contains(string(m.Body), `"note":"noted by Vitals"`) {
		t.Errorf("got %s, %v", m.Body, err)
	}
}

// A scenario sends the headers of a profile with what its own steps save.
func TestScenarioFillsHeaders(t *testing.T) {
	sc, err := scenarios.Open("smoke")
	if err != nil {
		t.Fatal(err)
	}
	sc, _, err = read(t, guarded).Scenario(sc)
	if err != nil {
		t.Fatal(err)
	}
	in := sc.Accounts.SignIn
	if in.Save["csrf"] != "json:guard.csrf" || in.Save["token"] != "json:jwt" {
		t.Errorf("signing in saves %v, want csrf and token", in.Save)
	}
	if r := sc.Accounts.Refresh; r != nil && r.Header["Authorization"] != "Bearer {{token}}" {
		t.Errorf("refresh sends %v, want the token that was saved", r.Header)
	}
}

// Braces that end a query of GraphQL are text.
func TestBracesAtAnEndAreText(t *testing.T) {
	p, err := profile.Read(strings.NewReader(`
profile: gql
operations:
  login: {method: POST, path: /graphql, body: {query: 'mutation($u:String!){signIn(u:$u){me{id}}}', variables: {u: "{{email}}"}}}
`), "gql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Message("login", "", map[string]string{"email": "ann@shop.example"})
	if want := `{"query":"mutation($u:String!){signIn(u:$u){me{id}}}","variables":{"u":"ann@shop.example"}}`; err != nil || string(m.Body) != want {
		t.Errorf("got %s, %v, want %s", m.Body, err, want)
	}
}

// A document is one of the repository, and no address of the web.
func TestSaysIsNoURL(t *testing.T) {
	for _, says := range []string{"https://depot.example/docs", "https://depot.example/docs:12"} {
		_, err := profile.Read(strings.NewReader("profile: a\nlimits: {login: {limit: 5, window: 1m, says: '"+says+"'}}\noperations: {list: {path: /a}}\n"), "a.yaml")
		if err == nil || !strings.Contains(err.Error(), "expected a file of the repository and a line") {
			t.Errorf("%s: got %v, want it refused", says, err)
		}
	}
}
