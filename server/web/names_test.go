package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"vitals/server/web"
)

func TestRepeatedName(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":2}`: "", `{"a":1,"a":2}`: "body.a", `{"a":1,"A":2}`: "body.A", `{"a":{"b":1,"c":[{"b":1},{"b":2}]}}`: "",
		`{"a":[{"x":1,"X":1}]}`: "body.a.X", `{"k":1,"\u212a":2}`: "body.\u212a", `{"\u0061":1,"a":2}`: "body.a", `[1,2]`: "", `null`: "", ``: "",
		`{`: "", `[`: "", `[x`: "", `{"a":[,`: "", `{"a":1 "a":2}`: "", `{"a":1,}`: "", `[1 2`: "", `{"a"`: "", `[[[`: "", `{"a":1e999999,"A":1}`: "body.A",
	} {
		if got := web.RepeatedName([]byte(text)); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Whatever the bytes, the search ends; and what passes it decodes to one value per
// field.
func FuzzRepeatedName(f *testing.F) {
	for _, s := range []string{`{"a":1,"A":2}`, `[x`, `{"a":[{"b":1}]}`, `{"a":[,`, "[\xff", `{"a":"b`, strings.Repeat("[", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if web.RepeatedName([]byte(text)) != "" || !json.Valid([]byte(text)) {
			return
		}
		var flat map[string]any
		if json.Unmarshal([]byte(text), &flat) == nil {
			var folded map[string]bool
			for name := range flat {
				if lower := strings.ToLower(name); folded[lower] {
					t.Errorf("%q holds %q twice and passes", text, name)
				} else if folded == nil {
					folded = map[string]bool{lower: true}
				} else {
					folded[lower] = true
				}
			}
		}
	})
}
