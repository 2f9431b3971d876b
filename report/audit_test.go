package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/golden"
	"vitals/internal/limitcheck"
	"vitals/report"
)

// audited is an audit with every outcome in it.
func audited() *audit.Report {
	return &audit.Report{
		Target: "http://127.0.0.1:18080", Profile: "clinic", Events: 240, Counts: audit.Counts{Pass: 1, Fail: 1, Skip: 1},
		Findings: []audit.Finding{
			{ID: "HL1", Title: "the health check answers", Class: audit.Safe, Status: audit.Pass, Began: began, Took: audit.Millis(12 * ms), Checks: 3},
			{ID: "LK8", Title: "the sixth wrong password is refused", Class: audit.Intrusive, Status: audit.Fail, Began: began.Add(time.Second), Took: audit.Millis(900 * ms),
				Reason: "#6: got 401, want 429\n#7: got 200 for <script>alert(1)</script>", Notes: []string{"the lock lasts 900 s"},
				Transcript: []audit.Exchange{
					{N: 6, At: audit.Millis(5 * ms), Took: audit.Millis(41 * ms), From: "127.16.0.9", Send: "POST /api/v1/auth/login", Header: []string{"Content-Type: application/json"}, Body: `{"password":"[redacted]"}`, Status: 401, Got: `{"detail":"wrong"}`},
					{At: audit.Millis(50 * ms), Words: "waits for the lock's end"},
					{N: 7, At: audit.Millis(60 * ms), Send: "POST /api/v1/auth/login", Err: "connection refused"},
				}, Omitted: 3},
			{ID: "DB2", Title: "a full pool is answered with 503", Class: audit.Control, Status: audit.Skip, Began: began, Reason: "needs --stack"},
		},
		Violations: []limitcheck.Violation{{Rule: "J1", Policy: "login", Key: "127.16.0.9", Words: "6 failures judged within 1.2s, allowed are 5 in 5m0s"}},
	}
}

func renderAudit(t *testing.T, r report.AuditReporter) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r(&b, audited()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAudit(t *testing.T) {
	golden.Check(t, renderAudit(t, report.AuditJUnit), "audit-junit.xml")
	golden.Check(t, renderAudit(t, report.AuditMarkdown), "audit.md")
	text := styles.ReplaceAllString(string(renderAudit(t, report.AuditHTML)), "<style>…</style>")
	_, text, _ = strings.Cut(text, "<main>")
	text, _, _ = strings.Cut(text, "</main>")
	golden.Check(t, []byte(text), "audit.html")
}

func TestAuditHTMLInABrowser(t *testing.T) {
	b := open(t, renderAudit(t, report.AuditHTML))
	for _, scheme := range []string{"light", "dark"} {
		b.media("screen", scheme)
		for _, width := range []int64{1280, 360} {
			b.size(width, 800)
			b.noOverflow(scheme)
			b.complaints(scheme)
		}
	}
	b.size(1280, 800)
	b.picture("audit")
	if got := look[string](b, `[...document.querySelectorAll('details[open] b')].map(n => n.textContent).join()`); got != "LK8" {
		t.Errorf("got %q open, want what failed", got)
	}
	b.quiet()
}

// An audit is read back by the same command that reads a document.
func TestOpenReadsBoth(t *testing.T) {
	dir := t.TempDir()
	if err := report.WriteAudit(dir, audited()); err != nil {
		t.Fatal(err)
	}
	f, err := report.Open(filepath.Join(dir, "audit.json"))
	if err != nil || f.Audit == nil || f.Audit.Findings[1].Reason != audited().Findings[1].Reason {
		t.Fatalf("got %+v, %v", f, err)
	}
	if _, err := f.For("vegeta"); err == nil || !strings.Contains(err.Error(), "junit, markdown") {
		t.Errorf("got %v, want the forms that there are", err)
	}
	if err := report.WriteAll(dir, document(t)); err != nil {
		t.Fatal(err)
	}
	f, err = report.Open(filepath.Join(dir, "document.json"))
	if err != nil || f.Document == nil || f.Document.Verdict != report.Fail {
		t.Fatalf("got %+v, %v", f, err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !bytes.Contains(page, []byte("vitals run normal peak")) {
		t.Errorf("got %v and %d bytes, want the run's page", err, len(page))
	}
}

// Advice is no failure of a build, and says all the same what was found.
func TestAdviceIsInJUnit(t *testing.T) {
	var b bytes.Buffer
	a := &audit.Report{Findings: []audit.Finding{{ID: "SH1", Title: "headers", Status: audit.Advice, Reason: "no nosniff", Basis: &audit.Basis{Standard: "asvs-5.0"}}}}
	if err := report.AuditJUnit(&b, a); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "<system-out>ADVICE: no nosniff") || strings.Contains(text, "<failure") {
		t.Errorf("got %s, want the advice in system-out and no failure", text)
	}
}

// What only repeats another finding says so in every form, and JUnit has the time that
// each probe took, and each family.
func TestAuditSaysWhatFollowsAndHowLongItTook(t *testing.T) {
	a := audited()
	again := a.Findings[1]
	again.ID, again.Follows, again.Took = "LK17", "LK2", audit.Millis(1100*ms)
	a.Findings = append(a.Findings[:2:2], again, a.Findings[2])
	for name, want := range map[string][]string{
		"junit": {`<failure message="follows from LK2: #6: got 401, want 429">follows from LK2:&#xA;#6: got`, `<failure message="#6: got 401`,
			`name="LK17 the sixth wrong password is refused" time="1.100"`, `name="HL1 the health check answers" time="0.012"`,
			`failures="2" errors="0" time="2.000" timestamp`},
		"markdown": {`follows from LK2:<br>\#6: got`},
		"html":     {"follows from LK2:\n#6: got"},
		"sarif":    {`follows from LK2:\n#6: got`},
	} {
		var b bytes.Buffer
		f := report.File{Audit: a}
		render, err := f.For(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := render(&b); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("%s: got no %q:\n%s", name, text, b.String())
			}
		}
	}
}

// An audit that was interrupted, or whose API went away, is no pass for a CI server, and
// every form tells what was not run from what was skipped, and from what nobody promised.
func TestAnAuditThatEndedEarlySaysWhatWasNotRun(t *testing.T) {
	for _, c := range []struct {
		why     string
		partial bool
		stopped string
	}{{"interrupted", true, ""}, {"the API stopped answering during HL1", false, "HL1"}} {
		a := audited()
		a.Partial, a.Stopped, a.Counts = c.partial, c.stopped, audit.Counts{Pass: 1, Fail: 1, Skip: 3, NotRun: 2, NotAsked: 1}
		for _, id := range []string{"LK2", "LK5"} {
			a.Findings = append(a.Findings, audit.Finding{ID: id, Title: "of a lock", Status: audit.Skip, NotRun: true, Reason: "not run: " + c.why})
		}
		a.Findings = append(a.Findings, audit.Finding{ID: "AU9", Title: "of codes", Status: audit.NotAsked, Reason: "the profile does not promise it"})
		for name, want := range map[string][]string{
			"terminal": {"SKIP, not run: " + c.why + ": 2 of the probes\n  LK2 LK5\n", "Not asked: 1 of the probes, for nothing was promised"},
			"junit": {`<testcase classname="vitals.audit.ending" name="the audit went to its end">`, `<error message="` + c.why + ": 2 probes not run\">" + c.why + ": 2 probes not run&#xA;LK2 LK5</error>",
				`tests="7" failures="2" errors="1"`, `<skipped message="not run: ` + c.why + `">`},
			"markdown": {"3 SKIP (2 not run: " + c.why + "), not asked: 1 probe (nothing promised)", "| not run: " + c.why},
			"html":     {"3 SKIP (2 not run: " + c.why + "), not asked: 1 probe (nothing promised)", "not run: " + c.why},
			"sarif":    {`"LK2 was not run: ` + c.why + `"`, `"DB2 was skipped: needs --stack"`},
			"json":     {`"not_run": 2`, `"not_run": true`, `"reason": "not run: ` + c.why + `"`},
		} {
			var b bytes.Buffer
			f := report.File{Audit: a}
			render, err := f.For(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := render(&b); err != nil {
				t.Fatal(err)
			}
			for _, text := range want {
				if !strings.Contains(b.String(), text) {
					t.Errorf("%s, %s: got no %q:\n%s", c.why, name, text, b.String())
				}
			}
		}
	}
	if text := string(renderAudit(t, report.AuditJUnit)); strings.Contains(text, "went to its end") {
		t.Errorf("an audit that went to its end has a case of its end:\n%s", text)
	}
}
