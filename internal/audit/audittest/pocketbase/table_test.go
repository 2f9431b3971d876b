package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs is the page that shows what audits found.
const docs = "../../../../docs/audits.md"

// changing is what differs from audit to audit: times, ids, counts of a measurement.
var changing = regexp.MustCompile(`\d+(\.\d+)?(ns|µs|ms|s)\b|p = 0\.\d+|gap \d+(\.\d+)? %`)

// table holds the page's table of an audit: which probes failed or advised. -update
// writes it, with the first line of what was found.
func table(t *testing.T, name string, a audit) {
	t.Helper()
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end -->"
	before, rest, found := strings.Cut(string(text), begin)
	old, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no table %s", docs, name)
	}
	var b strings.Builder
	b.WriteString("| probe | | what was found |\n|---|---|---|\n")
	counts := map[string]int{}
	var red []string
	for _, f := range a.Findings {
		counts[f.Status]++
		if f.Status == "FAIL" || f.Status == "ADVICE" {
			first, _, _ := strings.Cut(f.Reason, "\n")
			first = changing.ReplaceAllString(regexp.MustCompile(`^\[\d+\] `).ReplaceAllString(first, ""), "…")
			fmt.Fprintf(&b, "| %s %s | %s | %s |\n", f.ID, f.Title, f.Status, first)
			red = append(red, "| "+f.ID+" ")
		}
	}
	if *update {
		page := before + begin + b.String() + end + after
		if err := os.WriteFile(docs, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, id := range red {
		if !strings.Contains(old, id) {
			t.Errorf("%s says nothing of %s: run with -update, and explain it there", docs, strings.Trim(id, "| "))
		}
	}
	t.Logf("%v", counts)
}
