package importer

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// found is a value within a JSON value.
type found struct {
	place string // as data.items.0.id; "." = the whole
	key   string // the last name of the place
	value any
	deep  int
}

// walk lists all values within one, the shallow ones first, up to a bound: only the
// first entry of a list, for the others are alike.
func walk(v any) []found {
	out := []found{{place: ".", value: v}}
	for i := 0; i < len(out) && len(out) < 5000; i++ {
		at := out[i]
		if at.deep >= 8 {
			continue
		}
		join := func(name string) string {
			if at.place == "." {
				return name
			}
			return at.place + "." + name
		}
		switch v := at.value.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if k != "" && !strings.ContainsAny(k, ".{} \t\r\n") {
					out = append(out, found{join(k), k, v[k], at.deep + 1})
				}
			}
		case []any:
			if len(v) > 0 {
				out = append(out, found{join("0"), "0", v[0], at.deep + 1})
			}
		}
	}
	return out
}

// byKey finds the shallowest text or number under one of the keys, the first key
// first.
func byKey(v any, keys ...string) (string, bool) {
	all := walk(v)
	for _, want := range keys {
		for _, f := range all {
			if plain(f.key) != want {
				continue
			}
			if isScalar(f.value) {
				return f.place, true
			}
			if inner, ok := valueOf(f.value); ok {
				return under(f.place, inner), true
			}
		}
	}
	return "", false
}

// valueOf is the field of an object that holds what the object is named for, as value in
// {"token": {"value": "…"}}: called like a value, or the only text.
func valueOf(v any) (key string, ok bool) {
	m, _ := v.(map[string]any)
	var texts []string
	for _, k := range keys(m) {
		if _, text := m[k].(string); text && k != "" && !strings.ContainsAny(k, ".{} \t\r\n") {
			texts = append(texts, k)
			if slices.Contains([]string{"value", "jwt", "token", "accesstoken", "access", "key", "raw"}, plain(k)) {
				return k, true
			}
		}
	}
	if len(texts) == 1 {
		return texts[0], true
	}
	return "", false
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any, nil:
		return false
	}
	return true
}

// accessKeys are names of what is sent as a bearer token, the surest first.
var accessKeys = []string{"accesstoken", "access", "token", "jwt", "idtoken", "authtoken", "bearertoken", "sessiontoken", "authenticationtoken", "apitoken", "bearer", "sessionid", "sessionkey", "session", "sid", "ticket"}

// listPlace is where the entries of a list stand in an answer: "." when it is the
// list itself.
func listPlace(v any) (string, bool) {
	if _, ok := v.([]any); ok {
		return ".", true
	}
	best, score := "", 0
	for _, f := range walk(v) {
		if _, ok := f.value.([]any); !ok || f.deep > 3 {
			continue
		}
		s := 10 - f.deep
		if slices.Contains([]string{"items", "data", "results", "content", "records", "entries", "rows", "values", "list", "hits"}, plain(f.key)) {
			s += 20
		}
		if f.deep == 1 || s > 20 {
			if s > score {
				best, score = f.place, s
			}
		}
	}
	return best, best != ""
}

// idKey is the name of an object's id: id, else what is called like one.
func idKey(v any, noun string) (string, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return "", false
	}
	noun = plain(noun)
	best, score := "", 0
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !isScalar(m[k]) || strings.ContainsAny(k, ".{} \t\r\n") || k == "" {
			continue
		}
		s := 0
		switch p := plain(k); {
		case p == "id":
			s = 10
		case p == noun+"id" || p == noun+"uuid":
			s = 9
		case p == "uuid" || p == "guid" || p == "key" || p == "slug" || p == "ref":
			s = 8
		case strings.HasSuffix(p, "id") && (strings.HasSuffix(k, "Id") || strings.HasSuffix(k, "_id") || strings.HasSuffix(k, "ID")):
			s = 5
		}
		if s > score {
			best, score = k, s
		}
	}
	return best, best != ""
}

// at is a value within one; nil when it is not there.
func at(v any, place string) any {
	if place == "." {
		return v
	}
	for part := range strings.SplitSeq(place, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// under joins two places.
func under(a, b string) string {
	if a == "." {
		return b
	}
	return a + "." + b
}

func keys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
