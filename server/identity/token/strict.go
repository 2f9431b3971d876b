package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// strict reports whether header and claims of a compact token are written as we
// write them: each field once, by its exact name, and of its type. encoding/json,
// which jwt decodes with, takes EXP for exp, the last of two, and "1" for 1.
func strict(raw string) bool {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return false
	}
	header, ok := fields(parts[0], "alg", "typ", "kid")
	if !ok || !areTexts(header, "alg", "typ", "kid") {
		return false
	}
	claims, ok := fields(parts[1], "iss", "aud", "sub", "jti", "iat", "nbf", "exp", "sv", "sid")
	if !ok || !areTexts(claims, "iss", "sub", "jti", "sid") {
		return false
	}
	for _, name := range []string{"iat", "nbf", "exp", "sv"} {
		if v := claims[name]; len(v) > 0 && v[0] != '-' && (v[0] < '0' || v[0] > '9') {
			return false
		}
	}
	return true
}

// fields decodes an object that has none but the named fields, none twice.
func fields(segment string, names ...string) (map[string]json.RawMessage, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	out := map[string]json.RawMessage{}
	for dec.More() {
		token, err := dec.Token()
		name, _ := token.(string)
		if _, twice := out[name]; err != nil || twice || !slices.Contains(names, name) {
			return nil, false
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, false
		}
		out[name] = value
	}
	return out, true
}

// areTexts reports whether those of the named fields that are there are short texts
// of plain characters: they name rows, and a database refuses a zero byte.
func areTexts(object map[string]json.RawMessage, names ...string) bool {
	for _, name := range names {
		v, ok := object[name]
		if !ok {
			continue
		}
		var text string
		if v[0] != '"' || json.Unmarshal(v, &text) != nil || len(text) > 64 {
			return false
		}
		if strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			return false
		}
	}
	return true
}
