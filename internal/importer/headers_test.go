package importer_test

import (
	"strings"
	"testing"
)

// Headers of a capture are in the profile as in the scenario: an API that asks for one refuses
// its probes without it.
func TestCapturedHeadersAreInTheProfile(t *testing.T) {
	har := strings.ReplaceAll(capture([4]string{"GET", "/teas", "", `{"items":[{"id":"tea-12345"}]}`}),
		`"request": {"method": "GET", "url": "http://town.example/teas", "headers": [`, `"request": {"method": "GET", "url": "http://town.example/teas", "headers": [{"name": "X-Client", "value": "web 2.1"}, {"name": "X-Api-Key", "value": "k3y-of-somebody-0123456789abcdef"}, {"name": "If-Match", "value": "\"v1\""}, `)
	f := imported(t, har, "tea.har")
	profile := noQuotes(f.Profile)
	if !strings.Contains(profile, "X-Client: web 2.1") || !strings.Contains(profile, "X-Api-Key: removed-by-vitals-init") || !strings.Contains(profile, "# decide: the header X-Api-Key: its value was a secret") {
		t.Errorf("got\n%s\nof\n%s", f.Profile, har)
	}
	if strings.Contains(profile, "If-Match") || strings.Contains(profile, "k3y-of") {
		t.Errorf("got\n%s", f.Profile)
	}
}
