package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/tsenart/vegeta/v12/lib/plot"

	"vitals/internal/golden"
	"vitals/internal/measure"
	"vitals/report"
)

func updating() bool { f := flag.Lookup("update"); return f != nil && f.Value.String() == "true" }

// one is the fixture with one scenario.
func one(t *testing.T) *report.Document {
	t.Helper()
	d, err := document(t).Only("peak")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTextFormats(t *testing.T) {
	golden.Check(t, render(t, report.SlicesCSV, document(t)), "slices.csv")
	golden.Check(t, render(t, report.StepsCSV, document(t)), "steps.csv")
	golden.Check(t, render(t, report.Benchstat, document(t)), "benchstat.txt")
	golden.Check(t, render(t, report.HGRM, one(t)), "peak.hgrm")
	golden.Check(t, render(t, report.OpenMetrics, document(t)), "metrics.txt")
}

// The real vegeta reads the export and agrees with the run on count, codes and p99.
func TestVegetaReadsIt(t *testing.T) {
	d := one(t)
	total := d.Runs[0].Result.Total(true, true)
	codes := map[string]int{}
	answered := int64(0)
	for c, n := range total.Codes {
		codes[fmt.Sprint(c)], answered = int(n), answered+n
	}
	codes["0"] = int(total.Counts.Sent - answered)
	text := render(t, report.Vegeta, d)
	dec := vegeta.DecoderFor(bytes.NewReader(text))
	if dec == nil {
		t.Fatal("vegeta does not know the encoding")
	}
	var m vegeta.Metrics
	drawn := plot.New()
	for {
		var r vegeta.Result
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		m.Add(&r)
		if err := drawn.Add(&r); err != nil {
			t.Fatal(err)
		}
	}
	m.Close()
	drawn.Close()
	if int64(m.Requests) != total.Counts.Sent {
		t.Errorf("got %d requests, want %d", m.Requests, total.Counts.Sent)
	}
	for c, n := range codes {
		if m.StatusCodes[c] != n {
			t.Errorf("got %d of code %s, want %d", m.StatusCodes[c], c, n)
		}
	}
	all := measure.NewHistogram()
	for _, h := range []*measure.Histogram{total.Response, total.Refusal, total.Failure} {
		all.Merge(h)
	}
	want, _ := all.Quantile(0.99)
	if off := math.Abs(float64(m.Latencies.P99-want)) / float64(want); off > 0.01 {
		t.Errorf("got p99 %v, want %v within 1%%", m.Latencies.P99, want)
	}
	if m.Duration < 19*time.Second || m.Duration > 20*time.Second {
		t.Errorf("got a duration of %v, want the judged 20s", m.Duration)
	}
	var page bytes.Buffer
	if _, err := drawn.WriteTo(&page); err != nil || page.Len() < 10_000 {
		t.Errorf("got a plot of %d bytes, %v", page.Len(), err)
	}
}

// Requests without an answer have no code, and refusals keep theirs.
func TestVegetaCodes(t *testing.T) {
	h := func(n int, d time.Duration) *measure.Histogram {
		out := measure.NewHistogram()
		for range n {
			out.Record(d)
		}
		return out
	}
	d := &report.Document{Runs: []report.Run{{Result: &measure.Result{Scenario: "x", Window: time.Second, Phases: []measure.PhaseResult{{
		Phase: measure.Phase{Judged: true}, Steps: []measure.StepResult{{
			Step: measure.Step{Name: "a b"}, Counts: measure.Counts{Sent: 12, Served: 5, Refused: 4, Failed: 3},
			Codes:    map[int]int64{200: 3, 404: 2, 429: 4, 500: 1}, // 404 is expected of it
			Response: h(5, 10*ms), Refusal: h(4, 20*ms), Failure: h(3, 5*time.Second),
		}},
	}}}}}}
	dec := vegeta.NewDecoder(bytes.NewReader(render(t, report.Vegeta, d)))
	got := map[string]int{}
	for {
		var r vegeta.Result
		if dec.Decode(&r) != nil {
			break
		}
		got[fmt.Sprintf("%d %v %s", r.Code, r.Latency.Round(10*ms), r.URL)]++
	}
	for want, n := range map[string]int{"200 10ms step:a_b": 3, "404 10ms step:a_b": 2, "429 20ms step:a_b": 4, "500 5s step:a_b": 1, "0 5s step:a_b": 2} {
		if got[want] != n {
			t.Errorf("got %d of %q, want %d; all: %v", got[want], want, n, got)
		}
	}
}

func TestHGRMIsOfOneScenario(t *testing.T) {
	if err := report.HGRM(io.Discard, document(t)); err == nil || !strings.Contains(err.Error(), "--scenario") {
		t.Errorf("got %v, want to be told how to choose", err)
	}
	if _, err := document(t).Only("pea"); err == nil || !strings.Contains(err.Error(), "normal, peak") {
		t.Errorf("got %v, want the scenarios there are", err)
	}
}

func TestOpenMetricsIsClean(t *testing.T) {
	text := render(t, report.OpenMetrics, document(t))
	if !bytes.HasSuffix(text, []byte("# EOF\n")) {
		t.Error("no # EOF at its end")
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(bytes.TrimSuffix(text, []byte("# EOF\n"))))
	if err != nil || len(families) < 6 {
		t.Errorf("got %d families, %v", len(families), err)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("not checked by promtool: install Debian's prometheus")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestCSVHasOneWidth(t *testing.T) {
	for name, r := range map[string]report.Reporter{"slices": report.SlicesCSV, "steps": report.StepsCSV} {
		d := document(t)
		d.Runs[0].Result.Scenario = "=cmd|'/c calc'!A0"
		rows, err := csv.NewReader(bytes.NewReader(render(t, r, d))).ReadAll() // which holds all rows to one width
		if err != nil || len(rows) < 5 {
			t.Fatalf("%s: got %d rows, %v", name, len(rows), err)
		}
		if rows[1][0][0] == '=' {
			t.Errorf("%s: a spreadsheet would run %q", name, rows[1][0])
		}
	}
}

func TestGitHub(t *testing.T) {
	d := document(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("mine.yaml", []byte("targets: [p95 < 300ms]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := &d.Runs[1].Verdicts[0].Target
	v.File, v.Line, v.Col = "mine.yaml", 1, 11
	gone := &d.Runs[1].Verdicts[2].Target
	gone.File, gone.Line = "production.yaml", 9 // built in: no such file here
	want := `::error file=mine.yaml,line=1,col=11,title=peak%3A p95 < 300ms::p95 < 300ms: 412ms, n 9,978
::warning title=normal%3A cpu < 70%25::cpu < 70%25: no data; the system under test gave no CPU figure: its admin listener could not be reached from here, so nothing is known of it
::warning title=peak%3A cpu < 70%25::cpu < 70%25: no data; the system under test gave no CPU figure: its admin listener could not be reached from here, so nothing is known of it
::error title=FAIL::no data for cpu is not a pass
`
	if got := string(render(t, report.GitHub, d)); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	for range 30 {
		d.Reasons = append(d.Reasons, "one\nmore")
	}
	text := string(render(t, report.GitHub, d))
	if n := strings.Count(text, "\n"); n != 9 || !strings.Contains(text, "and 26 more") {
		t.Errorf("got %d annotations, want 9 and the rest counted:\n%s", n, text)
	}
}

func TestInCI(t *testing.T) {
	d := document(t)
	summary := filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(summary, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"GITHUB_STEP_SUMMARY": summary}
	var b bytes.Buffer
	if err := report.InCI(&b, d, func(k string) string { return env[k] }); err != nil || b.Len() != 0 {
		t.Errorf("outside of CI: got %q, %v", b.String(), err)
	}
	env["GITHUB_ACTIONS"] = "true"
	if err := report.InCI(&b, d, func(k string) string { return env[k] }); err != nil || !strings.Contains(b.String(), "::error") {
		t.Errorf("got %q, %v", b.String(), err)
	}
	text, err := os.ReadFile(summary)
	if err != nil || !bytes.HasPrefix(text, []byte("before\n<!-- vitals -->\n## ❌")) {
		t.Errorf("got %.60q, %v, want it appended", text, err)
	}
}

// A comment of a pull request holds 64 KiB; what is cut is evidence, and the tags
// are closed.
func TestMarkdownFitsAComment(t *testing.T) {
	d := document(t)
	for range 40 {
		d.Runs = append(d.Runs, d.Runs[1])
	}
	text := string(render(t, report.Markdown, d))
	if len(text) > 64<<10 || len(text) < 60<<10 || !strings.Contains(text, "cut here") {
		t.Errorf("got %d bytes", len(text))
	}
	if a, b := strings.Count(text, "<details>"), strings.Count(text, "</details>"); a != b {
		t.Errorf("got %d details opened and %d closed", a, b)
	}
	if !strings.HasPrefix(text, "<!-- vitals -->\n") {
		t.Error("no marker to find the comment by")
	}
}

func TestFormatsHelpNamesAll(t *testing.T) {
	for _, name := range report.Formats() {
		if !strings.Contains(report.FormatsHelp(), "  "+name+" ") {
			t.Errorf("the help lacks %s", name)
		}
	}
}

// Seconds that an interrupted run never came to are no rows; those without requests are.
func TestSlicesOfAnInterruptedRun(t *testing.T) {
	const s = time.Second
	slices := []measure.Slice{{At: 0, Counts: measure.Counts{Sent: 3}}, {At: s}, {At: 2 * s}, {At: 3 * s}}
	for partial, want := range map[bool]int{true: 2, false: 4} {
		d := &report.Document{Runs: []report.Run{{Result: &measure.Result{Scenario: "a", Partial: partial, Took: 2 * s, Series: measure.Series{Every: s, Slices: slices}}}}}
		if got := strings.Count(string(render(t, report.SlicesCSV, d)), "\n") - 1; got != want {
			t.Errorf("partial %v: got %d rows, want %d", partial, got, want)
		}
	}
}
