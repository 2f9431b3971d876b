package intruders

import (
	"bytes"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The header spoofer claims its addresses where the audit does.
func TestForgedHeadersAreThoseOfTheAudit(t *testing.T) {
	text, err := os.ReadFile("../audit/bypass.yaml")
	if err != nil {
		t.Fatal(err)
	}
	listed, _, _ := strings.Cut(string(text[bytes.Index(text, []byte("addresses:\n")):]), "\n\n")
	h := http.Header{}
	forge(h, 8)
	if want := strings.Count(listed, "{{address}}"); len(h) != want {
		t.Errorf("%d headers are forged, want the %d of bypass.yaml", len(h), want)
	}
	for name, values := range h {
		canonical := regexp.MustCompile(`(?i)\n  ` + name + `: "(.*)"`).FindStringSubmatch(listed)
		if canonical == nil || strings.ReplaceAll(canonical[1], "{{address}}", "203.0.113.9") != values[0] {
			t.Errorf("%s: %s is forged, bypass.yaml has %q", name, values[0], canonical)
		}
	}
}
