package strict

import yaml "go.yaml.in/yaml/v4"

// kinds are what a file is, by a field that no other kind has at its top.
var kinds = map[string]struct{ what, hint string }{
	"journeys":   {"a scenario", ""},
	"operations": {"a profile", "--profile FILE"},
	"openapi":    {"an OpenAPI description", "vitals init --from FILE makes a profile and a scenario of it"},
	"swagger":    {"an OpenAPI description", "vitals init --from FILE makes a profile and a scenario of it"},
}

// Mistaken says of a file of another kind than what is expected which kind it is, and
// reports whether it is one: that every field of it is unknown would help nobody.
func (d *Doc) Mistaken(root *yaml.Node, expected string) bool {
	for i := 0; root.Kind == yaml.MappingNode && i < len(root.Content); i += 2 {
		key := root.Content[i]
		if is, ok := kinds[key.Value]; ok && is.what != expected {
			d.Fail(key, is.hint, "found %s: this is %s, expected %s", key.Value, is.what, expected)
			return true
		}
	}
	return false
}
