package load

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// FuzzPath holds the scanner against encoding/json: in a document that is valid
// both find the same value, or none.
func FuzzPath(f *testing.F) {
	f.Add(`{"items":[{"id":"a"},{"id":7}],"x":{"y":[1,[2,3]]},"e":{},"l":[]}`, "items.1.id")
	f.Add(`{"a\"b":1,"c":"\u00e9\\"}`, `a"b`)
	f.Add(` [ [ ] , { } , "x" , -1.5e3 , null , true ] `, "3")
	f.Add(`{"a":{"a":{"a":1}},"a":2}`, "a.a")
	f.Add(`"just text"`, "")
	f.Fuzz(func(t *testing.T, doc, at string) {
		raw, ok := parsePath(at).find([]byte(doc), first) // must not panic on anything
		dec := json.NewDecoder(strings.NewReader(doc))
		dec.UseNumber()
		var tree any
		if dec.Decode(&tree) != nil || dec.More() || twice(doc) {
			return
		}
		want, found := walk(tree, strings.Split(at, "."))
		if found != ok {
			t.Fatalf("%s in %s: got found %v, want %v", at, doc, ok, found)
		}
		if !ok {
			return
		}
		var got any
		dec = json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%s in %s: got %q, which is no value: %v", at, doc, raw, err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if !bytes.Equal(a, b) {
			t.Fatalf("%s in %s: got %s, want %s", at, doc, a, b)
		}
		if s, isText := want.(string); isText && string(text(nil, raw)) != s {
			t.Fatalf("%s in %s: got text %q, want %q", at, doc, text(nil, raw), s)
		}
	})
}

// twice reports whether a key may occur more than once: which one counts is
// nobody's promise.
func twice(doc string) bool {
	dec := json.NewDecoder(strings.NewReader(doc))
	seen := map[string]bool{}
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		if s, ok := tok.(string); ok {
			if seen[s] {
				return true
			}
			seen[s] = true
		}
	}
}

func walk(v any, path []string) (any, bool) {
	if len(path) == 0 {
		return v, true
	}
	switch v := v.(type) {
	case map[string]any:
		next, ok := v[path[0]]
		if !ok {
			return nil, false
		}
		return walk(next, path[1:])
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		return walk(v[i], path[1:])
	}
	return nil, false
}

func TestFindMakesNoGarbage(t *testing.T) {
	doc := []byte(`{"items":[{"id":"a","n":[1,2,3]},{"id":"b"}],"total":2,"token":"secret"}`)
	for _, at := range []string{"token", "items.1.id", "none"} {
		p := parsePath(at)
		var scratch []byte
		got := testing.AllocsPerRun(100, func() {
			raw, _ := p.find(doc, first)
			scratch = text(scratch[:0], raw)
		})
		if got > 0 && at != "none" {
			t.Errorf("%s: got %v allocations, want 0", at, got)
		}
	}
}
