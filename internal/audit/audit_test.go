package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/limitcheck"
)

// probes are those of a class and below, by --only's words.
func probes(t testing.TB, upTo audit.Class, only ...string) []audit.Probe {
	t.Helper()
	ps, err := audit.Select(upTo, only)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func ids(t testing.TB) (out []string) {
	for _, p := range probes(t, audit.Intrusive) {
		out = append(out, p.ID)
	}
	return out
}

// examine audits a third-party API with a lie.
func examine(t testing.TB, lie string, only ...string) audit.Report {
	t.Helper()
	return examined(t, audittest.New(lie), only...)
}

func examined(t testing.TB, s *audittest.API, only ...string) audit.Report {
	t.Helper()
	g := s.Serve(t)
	g.Mail = s.Mail
	return audit.Run(t.Context(), probes(t, audit.Intrusive, only...), g, audit.Options{Patience: time.Minute})
}

// red are the probes that failed and the invariants that broke, sorted.
func red(rep audit.Report) []string {
	var out []string
	for _, f := range rep.Findings {
		if f.Status == audit.Fail {
			out = append(out, f.ID)
		}
	}
	for _, v := range rep.Violations {
		out = append(out, v.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func show(rep audit.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		if f.Status != audit.Pass {
			fmt.Fprintf(&b, "%s %s: %s\n", f.Status, f.ID, f.Reason)
		}
	}
	for _, v := range rep.Violations {
		fmt.Fprintf(&b, "%v\n", v)
	}
	return b.String()
}

// crowded tells that a probe was not carried out because this machine released its
// burst too slowly: the rest of it held.
func crowded(f audit.Finding) bool {
	return f.Status == audit.Skip && strings.Contains(f.Reason, "simultaneous")
}

// passedOf counts what passed, and what a crowded machine could not release at once.
func passedOf(rep audit.Report) int {
	n := rep.Counts.Pass
	for _, f := range rep.Findings {
		if crowded(f) {
			n++
		}
	}
	return n
}

func TestThirdPartyPasses(t *testing.T) {
	rep := examine(t, "")
	if got := red(rep); len(got) > 0 {
		t.Errorf("a healthy third-party API turned red at %v:\n%s", got, show(rep))
	}
	for _, f := range rep.Findings {
		// A burst that a crowded machine released too slowly is asked again, alone.
		if crowded(f) {
			if again := examine(t, "", f.ID).Findings[0]; again.Status != audit.Pass && !strings.Contains(again.Reason, "simultaneous") {
				t.Errorf("%s, asked again: %s %s", f.ID, again.Status, again.Reason)
			}
			t.Logf("%s: %s", f.ID, f.Reason)
			continue
		}
		if f.Status == audit.Skip && f.ID != "LK30" && f.ID != "AU7" {
			t.Errorf("%s was skipped: %s", f.ID, f.Reason)
		}
	}
	t.Logf("%+v, %d events", rep.Counts, rep.Events)
}

// The checklist has 87 lines, and each has a probe that can be
// explained.
func TestChecklistIsComplete(t *testing.T) {
	want := map[string]int{"CF": 7, "HL": 8, "RQ": 5, "CO": 5, "SH": 9, "AU": 14, "LK": 32, "DB": 4, "SE": 3}
	got, seen := map[string]int{}, map[string]bool{}
	for _, p := range audit.Probes() {
		got[strings.TrimRight(p.ID, "0123456789")]++
		if seen[p.ID] {
			t.Errorf("%s stands twice", p.ID)
		}
		seen[p.ID] = true
		if p.Title == "" || p.Why == "" || p.Fix == "" || p.Guide == "" {
			t.Errorf("%s: a word is missing: %+v", p.ID, p)
		}
		words, err := audit.Explain(strings.ToLower(p.ID))
		if err != nil || !strings.Contains(words, p.Why) || !strings.Contains(words, p.Fix) {
			t.Errorf("--explain %s: got %q, %v", p.ID, words, err)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("probes by family (-got +want):\n%s", diff)
	}
	for rule := range limitcheck.Means {
		if words, err := audit.Explain(rule); err != nil || !strings.Contains(words, limitcheck.Means[rule]) {
			t.Errorf("--explain %s: got %q, %v", rule, words, err)
		}
	}
	if _, err := audit.Explain("LK99"); err == nil || !strings.Contains(err.Error(), "did you mean") {
		t.Errorf("--explain LK99: got %v, want the nearest id", err)
	}
}
