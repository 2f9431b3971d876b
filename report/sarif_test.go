package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vitals/internal/audit"
	"vitals/internal/profile"
	"vitals/report"
)

func sarif(t *testing.T, a *audit.Report) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := report.AuditSARIF(&b, a); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/sarif-2.1.0-part.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(got); err != nil {
		t.Errorf("not SARIF 2.1.0: %v", err)
	}
	var out struct{ Runs []map[string]any }
	if err := json.Unmarshal(b.Bytes(), &out); err != nil || len(out.Runs) != 1 {
		t.Fatalf("got %d runs, %v", len(out.Runs), err)
	}
	return out.Runs[0]
}

// A result lies at the line of the promise, is the same one on another host, and
// what was skipped is a notification.
func TestAuditSARIF(t *testing.T) {
	at := func(file string, line int) *audit.Report {
		a := audited()
		a.Findings[1].Basis = &audit.Basis{Promise: "limits.login", Promised: true, Place: profile.Place{File: file, Line: line}}
		a.Findings = append(a.Findings, audit.Finding{ID: "SH1", Title: "headers", Status: audit.Advice, Reason: "no nosniff", Basis: &audit.Basis{Standard: profile.ASVS, Place: profile.Place{File: "vitals/profile.yaml"}}})
		return a
	}
	results := func(run map[string]any) []any { return run["results"].([]any) }
	text := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	one := sarif(t, at("docs/security rules.md", 12))
	if rs := results(one); len(rs) != 2 || !strings.Contains(text(rs[0]), `"uri":"docs/security%20rules.md"`) || !strings.Contains(text(rs[0]), `"startLine":12`) ||
		!strings.Contains(text(rs[0]), `"level":"error"`) || !strings.Contains(text(rs[1]), `"level":"note"`) || !strings.Contains(text(rs[1]), `"startLine":1`) {
		t.Errorf("got %s", text(rs))
	}
	if inv := text(one["invocations"]); !strings.Contains(inv, "DB2 was skipped") {
		t.Errorf("got %s, want the skipped probe in it", inv)
	}
	if tags := text(one["tool"]); !strings.Contains(tags, "external/cwe/cwe-307") || !strings.Contains(tags, "ASVS-6.3.1") || !strings.Contains(tags, `"security-severity":"9.0"`) {
		t.Error("the rules lack CWE, ASVS or severity")
	}
	other := at("/abs/elsewhere/security.md", 99)
	other.Target = "http://10.0.0.9"
	two := results(sarif(t, other))
	if !strings.Contains(text(two[0]), `"uri":"security.md"`) {
		t.Errorf("got %s, want a path within the repository", text(two[0]))
	}
	print := func(r any) any { return r.(map[string]any)["partialFingerprints"] }
	if text(print(results(one)[0])) != text(print(two[0])) || text(print(two[0])) == text(print(two[1])) {
		t.Error("a fingerprint depends on the host or the line, or two findings share one")
	}
}
