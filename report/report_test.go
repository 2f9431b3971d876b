package report_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/golden"
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
	for _, width := range []int{80, 100, 120} {
		d := document(t)
		d.Comparison = comparison(t)
		for i, l := range strings.Split(string(render(t, report.Text(report.Style{Width: width}), d)), "\n") {
			if n := utf8.RuneCountInString(l); n > width {
				t.Errorf("width %d, line %d has %d columns: %s", width, i+1, n, l)
			}
		}
	}
}

func TestTerminalOfNothing(t *testing.T) {
	golden.Check(t, render(t, report.Text(report.Style{}), &report.Document{Verdict: report.NoData, Exit: 3}), "terminal-empty.txt")
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
		"newer":    {`{"schema":2,"runs":[]}`, "use the newer vitals"},
		"older":    {`{"schema":0,"runs":[]}`, "run the scenario again"},
		"baseline": {`{"schema":"vitals.baseline/1"}`, `this is a "vitals.baseline/1"`},
		"other":    {`{"name":"x"}`, "not a document"},
		"cut":      {`{"schema":1,"runs":[`, "not a document"},
		"no run":   {`{"schema":1,"runs":[{}]}`, "run 1 has no result"},
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
	f.Add([]byte(`{"schema":1,"runs":[{"result":{"phases":[{"judged":true,"steps":[{"step":{"name":"a"}}]},{"name":"b"}],"facts":[{"name":"cpu"}]},"verdicts":[{"status":"NO DATA"}]}]}`))
	f.Add([]byte(`{"schema":1,"runs":[{"result":{"series":{"slices":[{"gauges":{"cpu":1e300}}]},"failures":[{"class":"x"}]}}],"comparison":{"rows":[{"change":"no_change"}]}}`))
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
			if err := r(&bytes.Buffer{}, d); err != nil {
				t.Fatalf("%s: %v", format, err)
			}
		}
	})
}
