package importer_test

import (
	"strings"
	"testing"

	"vitals/internal/importer"
)

// An address is sent as its parts have it, without what is switched off, whether it has a text
// beside them or not; one that cannot be read is left out, and that is said.
func TestPostmanAddresses(t *testing.T) {
	for url, want := range map[string]string{
		`"{{base}}/a?x=1"`: "/a?x=1",
		`{"raw": "{{base}}/a?x=1&y=%20", "host": ["{{base}}"], "path": ["a"], "query": [{"key": "x", "value": "1"}, {"key": "y", "value": "%20"}]}`:                     "/a?x=1&y=%20",
		`{"raw": "{{base}}/a?x=1&y=2", "host": ["{{base}}"], "path": ["a"], "query": [{"key": "x", "value": "1", "disabled": true}, {"key": "y", "value": "2"}]}`:       "/a?y=2",
		`{"raw": "{{base}}/a?x=1", "query": [{"key": "x", "value": "1", "disabled": true}]}`:                                                                            "/a",
		`{"host": ["{{base}}"], "path": ["v1", "a", ""], "query": [{"key": "x", "value": "1"}, {"key": "x", "value": "a&b"}, {"key": "y", "value": null}]}`:             "/v1/a/?x=1&x=a%26b&y",
		`{"protocol": "http", "host": ["127", "0", "0", "1"], "port": "8000", "path": "/v1/a"}`:                                                                         "/v1/a",
		`{"protocol": "https", "host": "tea.example", "port": 8443, "path": [{"type": "string", "value": "v1"}, ":id"], "variable": [{"key": "id", "value": "tea-1"}]}`: "/v1/tea-1",
		`"{{base}}/a/:id?at=/:x"`: "/a/1?at=/:x",
		`{"path": ["a"]}`:         "/a",
		`{}`:                      "",
		`{"raw": ""}`:             "",
		`7`:                       "",
	} {
		source := `{"info": {"name": "Tea", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "variable": [{"key": "base", "value": "http://127.0.0.1:8000"}], "item": [
			{"name": "First", "request": {"method": "GET", "url": "{{base}}/first"}}, {"name": "Looked at", "request": {"method": "GET", "url": ` + url + `}}]}`
		f, err := importer.Import([]byte(source), importer.Options{File: "tea.json"})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if want != "" && !strings.Contains(noQuotes(f.Scenario), "get: "+want+"\n") {
			t.Errorf("%s: want %s, got\n%s", url, want, f.Scenario)
		}
		if said := strings.Contains(strings.Join(f.Said, "\n"), `left out: "Looked at", it has no address`); said != (want == "") {
			t.Errorf("%s: said %q", url, f.Said)
		}
	}
}
