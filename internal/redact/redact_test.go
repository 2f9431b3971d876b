package redact_test

import (
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"

	"vitals/internal/redact"
)

func TestEverySpelling(t *testing.T) {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	ascii := func(s string) string { // as Python writes JSON
		var b strings.Builder
		for _, c := range s {
			switch {
			case c > 0xffff:
				b.WriteString(`\ud83d\udd11`)
			case c > 0x7e:
				b.WriteString(`\u00` + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
			default:
				b.WriteString(quote(string(c))[1 : len(quote(string(c)))-1])
			}
		}
		return b.String()
	}
	for _, secret := range []string{
		"plain-Secret_1.2~", `k"SECRETKEY20`, `back\slash\`, "sp ace&amp=é", "two\nlines", "a/b+c?d#e%41", `<'">`, "key🔑ring", "pass word",
	} {
		for how, spell := range map[string]func(string) string{
			"as it is": func(s string) string { return s },
			"JSON":     quote, "JSON in JSON": func(s string) string { return quote(quote(s)) },
			"thrice": func(s string) string { return quote(quote(quote(s))) },
			"ASCII":  ascii, "ASCII in JSON": func(s string) string { return quote(ascii(s)) },
			"form": url.QueryEscape, "path": url.PathEscape, "lower": func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "%2f") },
			"HTML": html.EscapeString, "HTML of JSON": func(s string) string { return html.EscapeString(quote(s)) },
		} {
			text := "{before: " + spell(secret) + ", after}"
			if !redact.May([]byte(text), []byte(secret)) {
				t.Errorf("%q %s: %q may not hold it", secret, how, text)
			}
			got := redact.New(secret).Hide(text)
			// What escapes the quotes around it may go with it.
			if !strings.Contains(got, redact.Mark) || len(got) > len("{before: , after}")+len(redact.Mark)+30 || !strings.HasPrefix(got, "{before: ") || !strings.HasSuffix(got, ", after}") {
				t.Errorf("%q %s: got %q of %q", secret, how, got, text)
			}
		}
	}
}

func TestNothingElseIsTaken(t *testing.T) {
	for _, c := range [][2]string{{"nothing here", `k"x`}, {"Test and TEST", "test"}, {"abc", ""}, {`a\\b`, `a"b`}} {
		if got := redact.New(c[1]).Hide(c[0]); got != c[0] {
			t.Errorf("%q without %q: got %q", c[0], c[1], got)
		}
	}
	if redact.May([]byte("3f6c1f5e-4a0e-4b7a"), []byte("eyJhbGciOi.eyJzdWIi.sig")) || redact.May([]byte("short"), []byte("longer than it")) {
		t.Error("an ordinary answer is taken for a secret")
	}
}
