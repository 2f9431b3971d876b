package audit

import (
	"strings"
	"testing"
)

// A requirement is no better than the worst that bears on it: one failure is FAIL, a line
// that was skipped leaves it in part, and what nobody asked is not proved.
func TestRequirementsAgainstFindings(t *testing.T) {
	p := asvs([]Finding{
		{ID: "LK1", Status: Pass}, {ID: "LK2", Status: Fail, Reason: "six were judged\nand more"}, {ID: "LK3", Status: Skip, Reason: "no accounts"}, // 6.3.1
		{ID: "AU10", Status: Pass},                             // 8.2.2
		{ID: "LK21", Status: Skip, Reason: "no second factor"}, // 6.6.3
		{ID: "LK17", Status: Pass}, {ID: "LK18", Status: Skip}, // 4.1.3
		{ID: "CO2", Status: Advice, Reason: "any origin is granted"}, // 3.4.2
	})
	got := map[string]Outcome{}
	for _, o := range p.Requirements {
		got[o.ID] = o
	}
	for id, want := range map[string]string{
		"v5.0.0-6.3.1": "FAIL: LK2 FAIL, LK1 PASS, LK3 SKIP: six were judged", "v5.0.0-8.2.2": "PASS: AU10 PASS: ", "v5.0.0-6.6.3": "NOT PROVED: LK21 SKIP: no second factor",
		"v5.0.0-4.1.3": "IN PART: LK17 PASS, LK18 SKIP: ", "v5.0.0-3.4.2": "FAIL: CO2 ADVICE: any origin is granted", "v5.0.0-16.3.1": "NOT PROVED: : no probe that bears on it was chosen",
	} {
		o := got[id]
		if s := o.Verdict + ": " + strings.Join(o.Evidence, ", ") + ": " + o.Because; s != want {
			t.Errorf("%s: got %q, want %q", id, s, want)
		}
	}
}

// Every requirement of the standard stands in one of the two lists, once: it has 345.
func TestEveryRequirementIsListed(t *testing.T) {
	p := asvs(nil)
	seen := map[string]bool{}
	for _, o := range p.Requirements {
		seen[o.ID] = true
	}
	for _, c := range p.Unproved {
		for _, id := range c.IDs {
			if seen[id] {
				t.Errorf("%s stands twice", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 345 {
		t.Errorf("got %d requirements, want 345", len(seen))
	}
}
