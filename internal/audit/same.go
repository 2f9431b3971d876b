package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// perRequest are fields that differ between two answers of one kind, by their names in
// small letters and digits: ids and times of the request, and how long to wait.
var perRequest = []string{
	"requestid", "traceid", "spanid", "correlationid", "transactionid", "instance", "nonce", "timestamp", "time", "date", "datetime", "servertime", "now",
	"retryafter", "retryafterseconds", "retryin", "retryat",
}

// content is an answer's body without what differs from one request to the next: fields
// of such names, at any depth, and the id that its header tells.
func (t *T) content(a Answer) string {
	header, _ := t.requestID()
	return content(a.Body, a.Header.Get(header))
}

func content(text []byte, id string) string {
	var body any
	if json.Unmarshal(text, &body) != nil {
		return string(text)
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				if slices.Contains(perRequest, letters(name)) || id != "" && inner == any(id) {
					delete(v, name)
				} else {
					strip(inner)
				}
			}
		case []any:
			for _, inner := range v {
				strip(inner)
			}
		}
	}
	strip(body)
	b, _ := json.Marshal(body) // it was JSON
	return string(b)
}

// letters is a field's name by its letters and digits alone, in small ones: requestId,
// request_id and Request-ID are one.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// same checks that two answers tell whoever asks the same: status, body, and which
// headers there are.
func (t *T) same(a, b Answer) {
	t.Check(a.Status == b.Status, "%v got %s, %v got %s: want the same", a, a.got(), b, b.got())
	one, two := t.content(a), t.content(b)
	t.Check(one == two, "%v and %v have different bodies: %s and %s", a, b, cut(one), cut(two))
	names := func(h http.Header) string {
		h = h.Clone()
		for _, drop := range []string{"Date", "Content-Length", "Connection"} {
			h.Del(drop)
		}
		return fmt.Sprint(slices.Sorted(maps.Keys(h)))
	}
	t.Check(names(a.Header) == names(b.Header), "%v and %v have different headers: %s and %s", a, b, names(a.Header), names(b.Header))
}
