package scenarios

import (
	"bytes"
	"encoding/json"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// wantJSON is what a member of an answer must be: a value as JSON writes it, or a
// text that is no such value as it stands, so that "20" is the text and 20 the number.
// It is nil when only that the member is there counts.
func (r *reader) wantJSON(n *yaml.Node, what string) *string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	if inside, ok := placeholderOf(n); ok {
		return &inside
	}
	switch tag := n.ShortTag(); {
	case n.Kind != yaml.ScalarNode || tag == "!!int" || tag == "!!float" || tag == "!!bool":
	case !json.Valid([]byte(n.Value)):
		return &n.Value
	}
	var b bytes.Buffer
	r.json(&b, n, what)
	text := b.String()
	if n.Kind != yaml.ScalarNode && strings.Contains(text, "{{") {
		r.Fail(n, "ask for its members one by one, as in items.0.id", "%s: found a placeholder within a list or an object, expected one in a text of its own", what)
	}
	return &text
}
