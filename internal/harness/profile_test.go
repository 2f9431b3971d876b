package harness

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vitals/internal/observe"
	"vitals/internal/profile"
)

// What a profile may name is what is read of a page.
func TestProfilesNameWhatIsRead(t *testing.T) {
	if a, b := profile.MetricNames(), observe.Figures(); !slices.Equal(a, b) {
		t.Errorf("profiles may name %q, pages are read for %q", a, b)
	}
}

// A profile is checked alone: no scenario of the clinic is tried on it.
func TestProfileIsCheckedAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.yaml")
	text := "profile: shop\nabout: orders\nlimits: {login: {limit: 5, window: 1m}, code: {limit: 3, delay: {from: 2s}, by: pair}}\noperations: {login: {method: POST, path: /login, body: {mail: \"{{email}}\"}}, list: {path: /orders}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Replicas: 1, ReadOnly: true, Pace: "full", Targets: "none", Profile: file}
	p, err := Read(o)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := p.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shop: orders", "POST /login", "5 in 1m0s", "3, then a wait from 2s on that doubles, by pair"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got %s, want %q", b.String(), want)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Replace(text, "window: 1m", "windw: 1m", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(o); err == nil || !strings.Contains(err.Error(), "windw") || strings.Contains(err.Error(), "scenario") {
		t.Errorf("got %v, want the profile's mistake alone", err)
	}
}

// Whose limits they are is said by --profile, by the stack that is started here, or by a
// built-in scenario. That somebody's own scenario signs in where the clinic does promises
// nothing of the API at its URL.
func TestWhoseLimitsAreAsked(t *testing.T) {
	own := file(t, "own.yaml", "name: own\nusers: 1\nrun_for: 10s\naccounts:\n  sign_in:\n    post: /api/v1/auth/login\n    body: {email: \"{{email}}\", password: \"{{password}}\"}\n    save: {token: json:access_token}\n"+
		"journeys:\n  - name: j\n    steps:\n      - {name: read, get: /x}\n")
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{own, "--url", "http://127.0.0.1:1"}, ""},
		{[]string{"smoke", own, "--url", "http://127.0.0.1:1"}, ""},
		{[]string{"smoke", "--url", "http://127.0.0.1:1"}, "clinic"},
		{[]string{own}, "clinic"},
	} {
		words := append(c.words, "--targets", "none")
		if slices.Contains(words, "--url") {
			words = append(words, "--accounts", accounts(t, 100))
		}
		p, err := Read(options(t, words...))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if api := p.api(); api != nil {
			got = api.Name
		}
		if got != c.want {
			t.Errorf("%q: the limits are those of %q, want %q", c.words, got, c.want)
		}
	}
}
