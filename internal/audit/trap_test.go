package audit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// On a narrow terminal no line of a finding is longer than the terminal is wide.
func TestFindingsFitANarrowTerminal(t *testing.T) {
	rep := audit.Report{Findings: []audit.Finding{{
		ID: "LK10", Title: strings.Repeat("a long title ", 9), Status: audit.Pass, Basis: &audit.Basis{Promise: "limits.login", Promised: true, Place: profile.Place{File: "profile.yaml", Line: 3}},
	}}}
	var text bytes.Buffer
	if err := audit.Print(&text, rep, 44); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if strings.Contains(line, "LK10") && len([]rune(line)) > 45 {
			t.Errorf("got %d columns: %s", len([]rune(line)), line)
		}
	}
}

// A lock tried on a shortened clock is no proof of 900 s, and a probe that was
// skipped is no green one: both stand in every form of the report.
func TestAShortClockAndASkipAreSaid(t *testing.T) {
	rep := audit.Report{
		Target: "http://127.0.0.1:1", ShortClock: true, Counts: audit.Counts{Skip: 1},
		Findings: []audit.Finding{{ID: "LK5", Title: "waiting Retry-After succeeds", Reason: "it waits for 900 s"}},
	}
	if rep.Findings[0].Status != audit.Skip || rep.Findings[0].Status == audit.Pass {
		t.Errorf("a finding that nobody gave a status: got %v, want SKIP", rep.Findings[0].Status)
	}
	var text bytes.Buffer
	if err := audit.Print(&text, rep, 0); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SHORT CLOCK", "900 s were not verified", "SKIP", "it waits for 900 s"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
	b, err := json.Marshal(rep)
	if err != nil || !bytes.Contains(b, []byte(`"short_clock":true`)) {
		t.Errorf("got %s, %v, want the short clock in the JSON", b, err)
	}
}
