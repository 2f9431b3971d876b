package audit

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func bypassFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "more.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A user's file adds to the built-in ways.
func TestReadBypass(t *testing.T) {
	built, err := ReadBypass("")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadBypass(bypassFile(t, "addresses: {X-Our-Proxy: \"ip={{address}}\"}\npaths: [\"/v1{{path}}\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Addresses) != len(built.Addresses)+1 || len(b.Paths) != len(built.Paths)+1 || len(b.Methods) != len(built.Methods) {
		t.Errorf("got %+v, want one address and one path more than %+v", b, built)
	}
	q := Request{Path: "/login", Header: http.Header{}}
	b.forge(&q, 3, "")
	if got := q.Header.Get("X-Our-Proxy"); got != "ip=203.0.113.4" || q.Header.Get("Forwarded") != "for=203.0.113.4" {
		t.Errorf("got %v", q.Header)
	}
	for text, want := range map[string]string{
		"paths: [\"{{pat}}/\"]\n":     "1:9: paths: nobody fills in {{pat}} (did you mean \"path\"?)",
		"bodies: [from]\n":            `1:10: bodies: found "from", expected extra, form, json (did you mean "form"?)`,
		"addresses: {X-A: 1.2.3.4}\n": `1:18: X-A: found "1.2.3.4", expected {{address}} in it`,
		"adresses: {}\n":              `1:1: unknown field "adresses"`,
	} {
		if _, err := ReadBypass(bypassFile(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// Each spelling is the request's own but for what it changes.
func TestVariants(t *testing.T) {
	b, err := ReadBypass("")
	if err != nil {
		t.Fatal(err)
	}
	plain := Request{Method: "POST", Path: "/v2/login?tenant=a", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"user":"a"}`)}
	var got []string
	for i, v := range b.variants(plain) {
		q := plain
		q.Header, q.Body = plain.Header.Clone(), slices.Clone(plain.Body)
		v.change(i, &q)
		got = append(got, q.Method+" "+q.Path+" "+q.Header.Get("X-HTTP-Method-Override")+" "+string(q.Body))
	}
	for _, want := range []string{
		`POST /v2/login/?tenant=a  {"user":"a"}`, `POST //v2/login?tenant=a  {"user":"a"}`, `POST /v2/%6cogin?tenant=a  {"user":"a"}`, `POST /v2/LOGIN?tenant=a  {"user":"a"}`,
		`POST /v2/login?x=4&tenant=a  {"user":"a"}`, `HEAD /v2/login?tenant=a  {"user":"a"}`, `PUT /v2/login?tenant=a POST {"user":"a"}`, `POST /v2/login?tenant=a  user=a`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("want %q among\n%s", want, strings.Join(got, "\n"))
		}
	}
	for i := range b.Accounts {
		if words := b.worded(i); strings.Contains(words, "{{") {
			t.Errorf("%q is told as %q, want words for it", b.Accounts[i], words)
		}
	}
	if names := b.spellings("ann@shop.example"); !slices.Contains(names, "ANN@SHOP.EXAMPLE") || !slices.Contains(names, "ann+3@shop.example") {
		t.Errorf("got %q", names)
	}
}
