package strict_test

import (
	"testing"

	"vitals/internal/strict"
)

func TestAFileOfAnotherKind(t *testing.T) {
	for _, c := range []struct{ text, expected, want string }{
		{"name: x\njourneys: []", "a profile", "f.yaml:2:1: found journeys: this is a scenario, expected a profile"},
		{"profile: x\noperations: {}", "a scenario", "f.yaml:2:1: found operations: this is a profile, expected a scenario (--profile FILE)"},
		{"openapi: 3.1.0", "a targets file", "f.yaml:1:1: found openapi: this is an OpenAPI description, expected a targets file (vitals init --from FILE makes a profile and a scenario of it)"},
		{"name: x\njourneys: []", "a scenario", ""},
		{"name: x", "a profile", ""},
		{"- journeys", "a profile", ""},
	} {
		d, root := strict.Parse("f.yaml", []byte(c.text))
		is, got := d.Mistaken(root, c.expected), ""
		if err := d.Err(); err != nil {
			got = err.Error()
		}
		if got != c.want || is != (c.want != "") {
			t.Errorf("%q as %s: got %v %q, want %q", c.text, c.expected, is, got, c.want)
		}
	}
}
