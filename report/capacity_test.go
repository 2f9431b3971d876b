package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/capacity"
	"vitals/report"
)

// TestCapacityIsRendered: capacity.json in the forms that it has.
func TestCapacityIsRendered(t *testing.T) {
	o := &capacity.Outcome{Low: 200, High: 210, Binding: []string{"p95 < 300ms"}, Steps: []capacity.Step{
		{Rate: 210, Binding: []string{"p95 < 300ms"}, Goodput: 205, P95: 410 * time.Millisecond, Mean: 200 * time.Millisecond, Refused: 0.1, Errors: 0.1, Requests: 6300},
		{Rate: 200, Meets: true, Goodput: 200, P95: 120 * time.Millisecond, Mean: 60 * time.Millisecond, Requests: 6000},
	}}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "capacity.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := report.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string][]string{
		"terminal": {"capacity: between 200 and 210 arrivals/s, bound by p95 < 300ms\n", "past it: orderly: up to 10.00 %"},
		"markdown": {"## capacity: between 200 and 210 arrivals/s, bound by p95 &lt; 300ms\n", "- past it: orderly", "| MISSED  | 410ms |", "|    200/s | met "},
		"json":     {`"low": 200`},
	} {
		render, err := f.For(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := render(&b); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: want %q in\n%s", format, w, &b)
			}
		}
	}
	if _, err := f.For("junit"); err == nil || !strings.HasSuffix(err.Error(), `has no form "junit": choose one of json, markdown, terminal`) {
		t.Errorf("a form that it has not: got %v", err)
	}
}
