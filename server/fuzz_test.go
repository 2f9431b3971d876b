package server

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func FuzzRequestID(f *testing.F) {
	for _, s := range []string{"probe-0123456789ab", "", "a1234567", "-1234567", "a\n{}12345", strings.Repeat("a", 65), "é1234567"} {
		f.Add(s)
	}
	rule := regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]{7,63}\z`)
	f.Fuzz(func(t *testing.T, id string) {
		if got, want := acceptableID(id), rule.MatchString(id); got != want {
			t.Errorf("%q: got %v, want %v", id, got, want)
		}
	})
}

func FuzzDepth(f *testing.F) {
	for _, s := range []string{`{}`, `[[[]]]`, `{"a":"[[\"{"}`, `"\\"`, `{"a":[{"b":[]}]}`, `1`, strings.Repeat("[", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return // the decoder refuses it, however deep
		}
		if got, want := depth([]byte(text)), nesting(text); got != want {
			t.Errorf("%q: got depth %d, want %d", text, got, want)
		}
	})
}

// nesting is depth by the decoder's own tokens.
func nesting(text string) (deepest int) {
	dec := json.NewDecoder(strings.NewReader(text))
	for level := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
			deepest = max(deepest, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}
