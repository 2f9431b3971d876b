package load

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// kindOf is what a JSON value is, in words.
func kindOf(raw []byte) string {
	switch {
	case len(raw) == 0:
		return "nothing"
	case raw[0] == '"':
		return "text"
	case raw[0] == '{':
		return "object"
	case raw[0] == '[':
		return "list"
	case string(raw) == "null":
		return "null"
	case string(raw) == "true" || string(raw) == "false":
		return "boolean"
	case raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9':
		return "number"
	}
	return "no JSON"
}

// sameJSON reports whether two JSON values are the same: of one kind, numbers by
// their value, objects whatever the order of their members.
func sameJSON(a, b []byte) bool {
	kind := kindOf(a)
	if kind != kindOf(b) {
		return false
	}
	if bytes.Equal(a, b) {
		return true
	}
	switch kind {
	case "number":
		return sameNumber(string(a), string(b))
	case "text", "list", "object":
		x, okX := decoded(a)
		y, okY := decoded(b)
		return okX && okY && sameValue(x, y)
	}
	return false
}

func decoded(raw []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return v, d.Decode(&v) == nil
}

func sameValue(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		return ok && sameNumber(x.String(), y.String())
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameValue(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name := range x {
			if other, ok := y[name]; !ok || !sameValue(x[name], other) {
				return false
			}
		}
		return true
	}
	return a == b
}

// sameNumber compares by value and exactly: 20 = 20.0 = 2e1, and no two integers
// are alike because a float cannot tell them apart.
func sameNumber(a, b string) bool {
	signA, digitsA, powerA, okA := number(a)
	signB, digitsB, powerB, okB := number(b)
	return okA && okB && digitsA == digitsB && (digitsA == "" || signA == signB && powerA == powerB)
}

// number is a JSON number as its digits without zeros around them, times a power of
// ten; zero has none.
func number(s string) (negative bool, digits string, power int, ok bool) {
	s, negative = strings.CutPrefix(s, "-")
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
		var err error
		if power, err = strconv.Atoi(exponent); err != nil {
			return false, "", 0, false
		}
	}
	whole, part, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+part, "0")
	power -= len(part)
	bare := strings.TrimRight(digits, "0")
	return negative, bare, power + len(digits) - len(bare), true
}
