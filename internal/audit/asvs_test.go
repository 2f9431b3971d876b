package audit

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// all are the findings of the probes that bear on a requirement, as if each had passed.
func all(id string) (out []Finding) {
	for _, p := range Probes() {
		if slices.Contains(bears(p.ID), id) {
			out = append(out, found(p.ID, Pass, Piece{Requirement: release + id, Checks: 1}))
		}
	}
	return out
}

func found(id string, status Status, pieces ...Piece) Finding {
	return Finding{ID: id, Status: status, Evidence: pieces}
}

// with replaces one of the findings.
func with(fs []Finding, f Finding) []Finding {
	at := slices.IndexFunc(fs, func(one Finding) bool { return one.ID == f.ID })
	fs[at] = f
	return fs
}

// A requirement holds only when every probe that bears on it checked exactly that. What
// failed of it fails it, and nothing else does; what was not looked at is named.
func TestRequirementsAgainstFindings(t *testing.T) {
	failed := func(id, words string) Piece {
		return Piece{Requirement: release + id, Checks: 2, Failed: []string{words}}
	}
	for _, c := range []struct {
		name, id string
		findings []Finding
		broken   []limitcheck.Violation
		verdict  string
		says     string // of what failed, or is missing
	}{
		{"all held", "6.3.1", all("6.3.1"), nil, "PASS", ""},
		{"a lock that is none", "6.3.1", with(all("6.3.1"), found("LK2", Fail, failed("6.3.1", "six were judged\nand more"))), nil, "FAIL", "six were judged"},
		{"a forged address", "6.3.1", with(all("6.3.1"), found("LK17", Fail, failed("6.3.1", "15 were judged"))), nil, "FAIL", "15 were judged"},
		{"a broken invariant", "6.3.1", all("6.3.1"), []limitcheck.Violation{{Rule: "J1", Policy: "login", Words: "6 judged"}}, "FAIL", "6 judged"},
		{"that of another limit", "6.3.1", all("6.3.1"), []limitcheck.Violation{{Rule: "J1", Policy: "api", Words: "101 admitted"}}, "PASS", ""},
		{"one was skipped", "6.3.1", with(all("6.3.1"), Finding{ID: "LK3", Reason: "no accounts"}), nil, "NOT PROVED (partly)", "LK3: no accounts"},
		{"one has no subject", "6.3.1", with(all("6.3.1"), Finding{ID: "LK5", Status: NotAsked, unfit: true}), nil, "PASS", ""},
		{"one was not chosen", "6.3.1", all("6.3.1")[1:], nil, "NOT PROVED (partly)", "not carried out: LK1"},
		{"none was chosen", "6.3.1", nil, nil, "NOT PROVED", "not carried out: LK1, LK2"},
		{"more is asked than is looked at", "8.2.2", all("8.2.2"), nil, "NOT PROVED (partly)", "no probe looks at objects other than"},
		{"another part failed", "13.4.4", []Finding{found("SH2", Fail, Piece{Requirement: release + "13.4.4", Checks: 2}, failed("4.2.1", "two answers"))}, nil, "PASS", ""},
		{"the part failed", "4.2.1", []Finding{found("SH2", Fail, Piece{Requirement: release + "13.4.4", Checks: 2}, failed("4.2.1", "two answers"))}, nil, "FAIL", "two answers"},
		{"a weaker promise held", "3.4.3", []Finding{found("SH1", Pass, Piece{Requirement: release + "3.4.3"})}, nil, "NOT PROVED", "SH1: it did not look at this"},
		{"advice is no better", "3.4.2", []Finding{found("CO2", Advice, failed("3.4.2", "any origin is granted"))}, nil, "FAIL", "any origin is granted"},
	} {
		at := slices.IndexFunc(requirements, func(r Requirement) bool { return r.ID == c.id })
		o := outcome(requirements[at], c.findings, c.broken)
		said := o.Because + strings.Join(o.Missing, "; ")
		if c.name == "a weaker promise held" && len(o.Evidence) > 0 {
			t.Errorf("%s: got %v, want no evidence", c.name, o.Evidence)
		}
		if o.Says() != c.verdict || !strings.Contains(said, c.says) || c.verdict == "PASS" && said != "" {
			t.Errorf("%s: got %s (%s), want %s with %q", c.name, o.Says(), said, c.verdict, c.says)
		}
	}
}

// What is promised is held to the promise, and the standard to its own text: a header that
// keeps a weak promise proves nothing of the standard.
func TestWeakPromisesProveNothing(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		if r.URL.Path != "/up" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Read(strings.NewReader("profile: weak\noperations: {health: {path: /up}}\npromises: {security_headers: {headers: {Content-Security-Policy: }, says: doc.md:3}}\n"), "weak.yaml")
	if err != nil {
		t.Fatal(err)
	}
	run := func(standard ...string) Report {
		chosen, err := Select(Safe, []string{"SH1"})
		if err != nil {
			t.Fatal(err)
		}
		return Run(t.Context(), chosen, &Target{URL: u, Profile: p, Own: true, Source: func(uint64) netip.Addr { return netip.MustParseAddr("127.0.0.1") }}, Options{Standard: standard})
	}
	if f := run().Findings[0]; f.Status != Pass || f.Title != "2 kinds of answer carry 1 promised headers: Content-Security-Policy" {
		t.Errorf("the promise alone: got %v %q %s", f.Status, f.Title, f.Reason)
	}
	rep := run(profile.ASVS)
	if f := rep.Findings[0]; f.Status != Fail || !strings.Contains(f.Reason, "v5.0.0-3.4.3 asks for") || strings.Contains(f.Reason, "3.4.4") {
		t.Errorf("with the standard: got %v %s", f.Status, f.Reason)
	}
	want := map[string]string{"3.4.1": "NOT PROVED", "3.4.3": "FAIL", "3.4.4": "PASS", "3.4.5": "FAIL", "3.4.6": "FAIL", "13.4.6": "NOT PROVED (partly)", "14.3.2": "NOT PROVED", "6.3.1": "NOT PROVED"}
	for _, o := range rep.Standards[0].Requirements {
		if id := strings.TrimPrefix(o.ID, release); want[id] != "" && want[id] != o.Says() {
			t.Errorf("%s: got %s (%s %v), want %s", id, o.Says(), o.Because, o.Missing, want[id])
		}
	}
}

// Every requirement of the standard stands in one of the two lists, once: it has 345.
func TestEveryRequirementIsListed(t *testing.T) {
	p := asvs(nil, nil)
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
