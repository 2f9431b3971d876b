package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/audit"
	"vitals/internal/golden"
	"vitals/internal/measure"
	"vitals/report"
)

func render(t *testing.T, r report.Reporter, d *report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTerminal(t *testing.T) {
	for name, s := range map[string]report.Style{
		"terminal-80.txt": {Width: 80}, "terminal-100.txt": {}, "terminal-120.txt": {Width: 120}, "terminal-color.txt": {Width: 100, Color: true},
	} {
		golden.Check(t, render(t, report.Text(s), document(t)), name)
	}
}

func TestTerminalFitsItsWidth(t *testing.T) {
	for _, width := range []int{40, 45, 59, 80, 100, 120} {
		d := document(t)
		d.Comparison = comparison(t)
		s := report.Style{Width: width}
		for name, r := range map[string]report.Reporter{"verbose": report.Text(s), "summary": report.Summary(s, "")} {
			for i, l := range strings.Split(string(render(t, r, d)), "\n") {
				if n := utf8.RuneCountInString(l); n > width && !strings.Contains(l, "vitals run") { // a command is there to be copied
					t.Errorf("%s, width %d, line %d has %d columns: %s", name, width, i+1, n, l)
				}
			}
		}
	}
}

func TestSummary(t *testing.T) {
	for name, s := range map[string]report.Style{
		"summary-40.txt": {Width: 40}, "summary-80.txt": {Width: 80}, "summary-100.txt": {}, "summary-color.txt": {Width: 100, Color: true},
	} {
		golden.Check(t, render(t, report.Summary(s, "out"), document(t)), name)
	}
	golden.Check(t, render(t, report.Summary(report.Style{}, "out"), &report.Document{Verdict: report.NoData, Exit: 3}), "summary-empty.txt")
}

// However much is wrong with four scenarios, their end fits one screen.
func TestSummaryFitsOneScreen(t *testing.T) {
	d := document(t)
	d.Runs = append(d.Runs, d.Runs...)
	for i := range d.Runs {
		d.Runs[i].Verdicts = append(judged(true), judged(true)...)
		d.Runs[i].Result.Health.Suspect = []string{"the machine was busy with something else for most of the run, so that its figures may be worse than the server's own"}
	}
	for range 20 {
		d.Reasons = append(d.Reasons, "normal: invalid: the schedule was missed by far more than a tenth of the strictest latency that was asked for")
		d.Deviations = append(d.Deviations, d.Deviations[0])
	}
	for _, width := range []int{80, 100, 120} {
		text := string(render(t, report.Summary(report.Style{Width: width}, "out"), d))
		if n := strings.Count(text, "\n"); n > 40 {
			t.Errorf("width %d: got %d lines, want at most 40:\n%s", width, n, text)
		}
	}
}

// What a command prints can be pasted into a shell.
func TestSummaryQuotesTheCommand(t *testing.T) {
	d := document(t)
	d.Command = []string{"/tmp/x/vitals", "run", "it's mine.yaml", "--set", "A=$(b)"}
	if text := string(render(t, report.Summary(report.Style{}, ""), d)); !strings.Contains(text, `vitals run 'it'\''s mine.yaml' --set 'A=$(b)'`) {
		t.Errorf("got\n%s", text)
	}
}

func TestStyleOfADumbTerminal(t *testing.T) {
	for term, want := range map[string]bool{"dumb": false, "xterm": true} {
		s := report.StyleOf(terminal(t), func(name string) string { return map[string]string{"TERM": term}[name] })
		if s.Redraw != want || s.Color != want {
			t.Errorf("TERM=%s: got %+v", term, s)
		}
	}
	s := report.StyleOf(terminal(t), func(name string) string { return map[string]string{"TERM": "xterm", "NO_COLOR": "1"}[name] })
	if !s.Redraw || s.Color {
		t.Errorf("NO_COLOR: got %+v, want it redrawn without colour", s)
	}
}

func TestTerminalOfNothing(t *testing.T) {
	golden.Check(t, render(t, report.Text(report.Style{}), &report.Document{Verdict: report.NoData, Exit: 3}), "terminal-empty.txt")
}

func TestJUnit(t *testing.T) {
	d := document(t)
	d.Runs[1].Result.Health.Invalid = []string{"the schedule was missed: lag p99 12ms"}
	golden.Check(t, render(t, report.JUnit, d), "junit.xml")
	golden.Check(t, render(t, report.JUnit, &report.Document{Reasons: []string{"the stack did not start"}}), "junit-nothing.xml")
}

func TestJUnitNeverLosesAVerdict(t *testing.T) {
	d := document(t)
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	if err := xml.Unmarshal(render(t, report.JUnit, d), &got); err != nil {
		t.Fatal(err)
	}
	// Two runs of 4 targets, their validity, invariants and request counts; 1 target
	// missed and 1 invariant broken; 2 without data, and counts that make a run invalid.
	if got.Tests != 14 || got.Failures != 2 || got.Errors != 4 {
		t.Errorf("got %+v, want 14 tests, 2 failures, 4 errors", got)
	}
}

func TestMarkdown(t *testing.T) {
	d := document(t)
	d.Comparison = comparison(t)
	golden.Check(t, render(t, report.Markdown, d), "summary.md")
}

// Names and request IDs come from elsewhere: they must not steer a terminal,
// break a table, or become markup.
func TestHostileText(t *testing.T) {
	const evil = "\x1b[2J<script>alert(1)</script>|a`b*[x](http://e)\r\n# y"
	d := document(t)
	r := d.Runs[0].Result
	r.Slowest[0].RequestID, r.Failures[0].Class = evil, evil
	r.Notes, r.Scenario = []string{evil}, evil
	d.Runs[0].Verdicts[0].Target.Text, d.Runs[0].Verdicts[0].Note = evil, evil
	d.Reasons, d.Deviations = []string{evil}, []string{evil}
	d.Limits[0].Value, d.Stack.URL = evil, evil
	d.Runs[0].Faults = []report.Fault{{Part: evil, Action: evil, Error: evil}}
	h, b := d.Runs[1].Invariants, d.Runs[1].Reconciliation
	h.Doubts[0], h.Violations[0].Key, h.Violations[0].Shown[0].ID, h.Unjudged = evil, evil, evil, evil
	b.Rows[1].Route, b.Findings[0] = evil, evil
	for _, format := range report.Formats() {
		if format == "vegeta" || format == "hgrm" { // no text for people: the one is binary, the other only figures
			continue
		}
		rep, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		text := string(render(t, rep, d))
		if format != "html" && strings.Contains(text, "\x1b[2J") { // a browser knows no escapes
			t.Errorf("%s: an escape reached the output", format)
		}
		if slices.Contains([]string{"html", "junit", "markdown"}, format) && strings.Contains(text, "<script>alert") {
			t.Errorf("%s: markup reached the output", format)
		}
		if format == "markdown" && (strings.Contains(text, "x](") || strings.Contains(text, "\n# y")) {
			t.Errorf("%s: markup reached the output", format)
		}
	}
}

func TestNoColorOutsideATerminal(t *testing.T) {
	if got := render(t, report.Terminal, document(t)); bytes.Contains(got, []byte("\x1b[")) {
		t.Error("got escapes in a plain file")
	}
}

func TestComparison(t *testing.T) {
	for name, width := range map[string]int{"comparison-80.txt": 80, "comparison-120.txt": 120} {
		var b bytes.Buffer
		if err := report.ComparisonText(report.Style{Width: width}, &b, comparison(t)); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, b.Bytes(), name)
	}
}

func TestWriteAndRead(t *testing.T) {
	want := document(t)
	want.Comparison = comparison(t)
	path := filepath.Join(t.TempDir(), "document.json")
	if err := report.Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := report.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("there and back (-got +want):\n%s", diff)
	}
	for _, format := range report.Formats() {
		if format == "hgrm" {
			continue // of one scenario
		}
		r, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(render(t, r, got)), string(render(t, r, want))); diff != "" {
			t.Errorf("%s of a read document (-got +want):\n%s", format, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"newer":    {`{"schema":3,"runs":[]}`, "use the newer vitals"},
		"older":    {`{"schema":0,"runs":[]}`, "run the scenario again"},
		"baseline": {`{"schema":"vitals.baseline/1"}`, `this is a "vitals.baseline/1"`},
		"other":    {`{"name":"x"}`, "not a document"},
		"cut":      {`{"schema":2,"runs":[`, "not a document"},
		"no run":   {`{"schema":2,"runs":[{}]}`, "run 1 has no result"},
		"text":     {`hello`, "not a document"},
	} {
		path := filepath.Join(dir, "document.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := report.Read(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %q and the path", name, err, c.want)
		}
	}
	var schema *report.SchemaError
	if _, err := report.Decode(strings.NewReader(`{"schema":7,"runs":[]}`)); !errors.As(err, &schema) || schema.Got != 7 {
		t.Errorf("got %v, want the schema in its type", err)
	}
}

func TestForUnknownFormat(t *testing.T) {
	_, err := report.For("pdf")
	if err == nil || !strings.Contains(err.Error(), "json") || !strings.Contains(err.Error(), "terminal") {
		t.Errorf("got %v, want the formats there are", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"schema":2,"runs":[{"result":{"phases":[{"judged":true,"steps":[{"step":{"name":"a"}}]},{"name":"b"}],"facts":[{"name":"cpu"}]},"verdicts":[{"status":"NO DATA"}]}]}`))
	f.Add([]byte(`{"schema":2,"runs":[{"result":{"series":{"slices":[{"gauges":{"cpu":1e300}}]},"failures":[{"class":"x"}]}}],"comparison":{"rows":[{"change":"no_change"}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := report.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, format := range report.Formats() {
			r, err := report.For(format)
			if err != nil {
				t.Fatal(err)
			}
			if err := r(&bytes.Buffer{}, d); err != nil && (format != "hgrm" || len(d.Runs) == 1) {
				t.Fatalf("%s: %v", format, err)
			}
		}
	})
}

// A misspelt form or scenario is answered with those that there are, and the nearest.
func TestMisspeltFormatsAndScenarios(t *testing.T) {
	audited := report.File{Audit: &audit.Report{}}
	_, of := report.For("junti")
	_, far := report.For("spreadsheet")
	_, form := audited.For("sarf")
	d := report.Document{Runs: []report.Run{{Result: &measure.Result{Scenario: "normal"}}}}
	_, only := d.Only("norml")
	for _, c := range []struct {
		err  error
		want []string
	}{
		{of, []string{`unknown format "junti"`, strings.Join(report.Formats(), ", "), `(did you mean "junit"?)`}},
		{far, []string{`unknown format "spreadsheet"`, strings.Join(report.Formats(), ", ")}},
		{form, []string{`an audit has no form "sarf"`, `(did you mean "sarif"?)`}},
		{only, []string{`no scenario "norml"`, `(did you mean "normal"?)`}},
	} {
		for _, want := range c.want {
			if c.err == nil || !strings.Contains(c.err.Error(), want) {
				t.Errorf("got %v, want %s", c.err, want)
			}
		}
	}
	if strings.Contains(far.Error(), "did you mean") {
		t.Errorf("got %v, want no wild guess", far)
	}
}
