package load

import (
	"encoding/base64"
	"testing"

	"vitals/scenarios"
)

// What a scenario writes is shown without its secrets; placeholders are none.
func TestWritten(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"Authorization", "Bearer literal-1", "Bearer [redacted]"},
		{"authorization", "Basic YWJj{{x}}", "Basic [redacted]{{x}}"},
		{"Authorization", "Bearer {{token}}", "Bearer {{token}}"},
		{"Proxy-Authorization", "literal", "[redacted]"},
		{"X-Api-Key", "sk live/1=", "[redacted]"},
		{"X-Api-Key", "{{env SHOP KEY}}", "{{env SHOP KEY}}"},
		{"Cookie", "sess=abcdef; x={{x}};y", "sess=[redacted]; x={{x}};[redacted]"},
		{"X-Note", "bearer abcdefgh", "bearer [redacted]"},
		{"Accept", "text/html", "text/html"},
	} {
		if got := WrittenHeader(c.name, c.value); got != c.want {
			t.Errorf("%s: %s: got %q, want %q", c.name, c.value, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"/x?api_key=abc&page=1":                        "/x?api_key=[redacted]&page=1",
		"/x?token={{env A}}&pin={{b}}&c=1":             "/x?token={{env A}}&pin={{b}}&c=1",
		`{"password": "{{password}}", "secret": "s1"}`: `{"password": "{{password}}", "secret": [redacted]}`,
	} {
		if got := Written(text); got != want {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

// A body that is no text is shown in base64, whose letters are no secret's; one within is
// found in the bytes.
func TestWrittenBody(t *testing.T) {
	for body, want := range map[string]string{
		"{\"city\":\"Z\xfcrich\",\"zip\":\"8001\"}":         "",
		"{\"city\":\"Z\xfcrich\",\"password\":\"Right-1\"}": "base64:[redacted]",
	} {
		text := "base64:" + base64.StdEncoding.EncodeToString([]byte(body))
		if want == "" {
			want = text
		}
		if got := WrittenBody(&scenarios.Step{Body: text, Binary: []byte(body)}); got != want {
			t.Errorf("%q: got %s, want %s", body, got, want)
		}
	}
}

// A secret that is known by its name alone ends where its line, or its quotes, end: also
// within JSON, at any depth.
func TestSecretsByNameEnd(t *testing.T) {
	for text, want := range map[string]string{
		`{"h":"debug_session=abc\r\ntraceparent: 00-86"}`:   `{"h":"debug_session=[redacted]\r\ntraceparent: 00-86"}`,
		`{"h":"sid=abc\nHOME=/x\nTOKEN=def\n\nend"}`:        `{"h":"sid=[redacted]\nHOME=/x\nTOKEN=[redacted]\n\nend"}`,
		`"{\"h\":\"sid=abc\\r\\nX: y\"}"`:                   `"{\"h\":\"sid=[redacted]\\r\\nX: y\"}"`,
		`{"h":"sid=\"a b\nX: c\"; x"}`:                      `{"h":"sid=[redacted]; x"}`,
		"sid=abc\r\nX: y":                                   "sid=[redacted]\r\nX: y",
		`password=C:\new next`:                              `password=[redacted] next`,
		`a_sid=1&b_sid=2;c_sid="3 4" <b>`:                   `a_sid=[redacted]&b_sid=[redacted];c_sid=[redacted] <b>`,
		`{"token": "a\nX: b", "x": 1}`:                      `{"token": [redacted], "x": 1}`,
		`Bearer abcdef12 eyJhbGciOi.eyJz.sig basic QWxhZGQ`: `Bearer [redacted] [redacted] basic [redacted]`,
	} {
		if got := redactAll(text, nil); got != want {
			t.Errorf("%s: got  %s, want %s", text, got, want)
		}
	}
}
