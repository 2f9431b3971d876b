package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"vitals/internal/importer"
)

// The base path of the URL that the user gave is put before each path by a run: the files
// have paths without it, the source's own base or not.
func TestBasePath(t *testing.T) {
	spec := func(server, path string) string {
		return fmt.Sprintf("openapi: 3.0.3\ninfo: {title: Tea, version: '1'}\nservers: [{url: '%s'}]\npaths:\n  %s: {get: {responses: {'200': {description: ok}}}}\n", server, path)
	}
	for _, c := range []struct{ source, url, path, at string }{
		{spec("/api", "/teas"), "http://t.example/api/", "/teas", "http://t.example/api"},
		{spec("/api/v1", "/teas"), "http://t.example/api", "/v1/teas", "http://t.example/api"},
		{spec("/v1", "/teas"), "http://t.example/api", "/teas", "http://t.example/api"},
		{spec("/v1", "/teas"), "http://t.example", "/v1/teas", "http://t.example"},
		{spec("/", "/api/teas"), "http://t.example/api", "/teas", "http://t.example/api"},
		{spec("/", "/apis/teas"), "http://t.example/api", "/apis/teas", "http://t.example/api"},
		{spec("/", "/teas"), "http://t.example/my%20app", "/teas", "http://t.example/my%20app"},
		{spec("/my%20app", "/teas"), "http://t.example/my%20app", "/teas", "http://t.example/my%20app"},
		{spec("http://t.example/api", "/teas"), "", "/api/teas", "http://t.example"},
		{capture([4]string{"GET", "/my%20app/v2/teas", "", `[]`}), "http://other.example/my%20app", "/v2/teas", "http://other.example/my%20app"},
		{capture([4]string{"GET", "/api/teas", "", `[]`}), "http://town.example/ap", "/api/teas", "http://town.example/ap"},
		{capture([4]string{"GET", "/api/teas", "", `[]`}, [4]string{"GET", "/api", "", `{}`}), "http://town.example/api", "/api/teas", "http://town.example"},
		{capture([4]string{"POST", "/teas", "{}", `{"id":"tea-12345"}`}, [4]string{"GET", "/teas/tea-12345", "", `{}`}), "http://town.example/teas", "/teas/{{tea_id}}", "http://town.example"},
	} {
		f, err := importer.Import([]byte(c.source), importer.Options{File: "tea", URL: c.url})
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if !strings.Contains(noQuotes(f.Scenario), "get: "+c.path+"\n") || f.URL != c.at {
			t.Errorf("%s: got %s and\n%s\nwant %s and %s\n%s", c.url, f.URL, f.Scenario, c.at, c.path, c.source)
		}
		if said := strings.Contains(strings.Join(f.Said, "\n"), "paths are whole"); said != (c.url != "" && len(c.at) < len(strings.TrimRight(c.url, "/"))) {
			t.Errorf("%s: got it said %v: %q", c.url, said, f.Said)
		}
	}
	f := imported(t, spec("/api", "/teas"), "tea.yaml")
	if said := strings.Join(f.Said, "\n"); f.URL != "" || !strings.Contains(said, "have its /api, so that the URL of the commands is without it") {
		t.Errorf("without a host: got %q, %q", f.URL, said)
	}
}
