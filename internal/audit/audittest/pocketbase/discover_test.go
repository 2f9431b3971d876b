package main

import (
	"os/exec"
	"strings"
	"testing"
)

// The limit that an administrator set, and documented nowhere, is found out: as lines
// for the profile, and as a sentence for the document.
func TestDiscover(t *testing.T) {
	c := sound()
	c.limits[0] = map[string]any{"label": "*:auth", "maxRequests": 5, "duration": 20}
	s := start(t, c)
	cmd := exec.CommandContext(t.Context(), vitals, "audit", "--discover", "--url", s.url, "--i-own", "127.0.0.1",
		"--profile", "testdata/profile.yaml", "--accounts", s.accounts, "--out", t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, want := range []string{
		"login: {limit: 5, window: 20s, fixed: true, counts: requests, by: address, headers: none}",
		"After 5 sign-ins, right ones as well, from one client address within 20 seconds, further ones are refused with 429 until the window has room again (fixed window).",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
}
