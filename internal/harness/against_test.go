package harness

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
	"vitals/internal/exit"
	"vitals/internal/measure"
	"vitals/report"
)

// measured is a session of one run of 2000 answers around so many milliseconds.
func measured(ms float64, began time.Time) *report.Document {
	rec := measure.NewRecorder([]measure.Step{{Journey: "j", Name: "read"}}, []measure.Phase{{Name: "hold", To: 20 * time.Second, Judged: true}}, measure.Options{})
	sh := rec.Shard()
	for i := range 2000 {
		due := time.Duration(i) * 10 * time.Millisecond
		took := time.Duration(ms * (1 + 0.1*math.Sin(float64(i*i))) * float64(time.Millisecond))
		sh.Record(&measure.Sample{Due: due, Sent: due, Done: due + took, Code: 200, Outcome: measure.Served, OK: true})
		rec.Add(0, due, measure.Counts{Planned: 1})
	}
	sh.Close()
	f := rec.Finish()
	return &report.Document{Schema: report.Schema, Verdict: report.Pass, Created: began, Runs: []report.Run{{Verdict: report.Pass, Result: &measure.Result{
		Schema: report.Schema, Scenario: "mine", Pace: "full", Model: "users", Hash: "h", Began: began, Took: 20 * time.Second, Window: 20 * time.Second, Phases: f.Phases, Series: f.Series,
	}}}}
}

// A session is held against the baseline that it is given: much slower fails it, in
// compare's own words and in every form of the report; one of another load leaves no
// answer, and whatever failed before stays failed.
func TestAgainstABaseline(t *testing.T) {
	night := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	old := filepath.Join(t.TempDir(), "baseline.json")
	if err := baseline.Write(old, Baseline(measured(20, night))); err != nil {
		t.Fatal(err)
	}
	nights := t.TempDir()
	if err := history.AddFiles(&strings.Builder{}, nights, []string{old}); err != nil {
		t.Fatal(err)
	}
	held := func(d *report.Document, change func(*earlier)) *report.Document {
		t.Helper()
		o := Options{Baseline: old, History: nights}
		a, err := o.readAgainst()
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(&a)
		}
		ses := &session{p: &Plan{o: o, against: a}, doc: d}
		ses.compare(t.Context())
		return d
	}
	tomorrow := night.AddDate(0, 0, 1)
	if d := held(measured(20, tomorrow), nil); d.Verdict != report.Pass || d.Exit != exit.Pass || d.Comparison == nil {
		t.Errorf("equally fast: got %s, exit %d, %q", d.Verdict, d.Exit, d.Reasons)
	}
	d := held(measured(60, tomorrow), nil)
	if d.Verdict != report.Fail || d.Exit != exit.Fail {
		t.Fatalf("three times as slow: got %s, exit %d, %q", d.Verdict, d.Exit, d.Reasons)
	}
	if !strings.HasPrefix(d.Reasons[0], "compared with the baseline: p95 mine: WORSE +200") {
		t.Errorf("got reasons %q", d.Reasons)
	}
	for _, format := range []string{"terminal", "verbose", "markdown", "junit", "github", "html"} {
		render, err := report.For(format)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := render(&b, d); err != nil || !strings.Contains(b.String(), "p95 mine: WORSE") {
			t.Errorf("%s does not say it: %v\n%s", format, err, b.String())
		}
		if n := strings.Count(b.String(), `<circle class="c0"`); format == "html" && n != 4 {
			t.Errorf("the page shows %d nights, want p95 and errors of two", n)
		}
	}
	d = held(measured(20, tomorrow), func(a *earlier) { a.old.Scenarios[0].LoadModel = "another" })
	if d.Verdict != report.NoData || d.Exit != exit.NoAnswer || !strings.Contains(d.Reasons[0], "not compared with the baseline: not comparable: mine: load model (") {
		t.Errorf("another load: got %s, exit %d, %q", d.Verdict, d.Exit, d.Reasons)
	}
	failed := measured(20, tomorrow)
	failed.Verdict, failed.Exit = report.Fail, exit.Fail
	if d = held(failed, func(a *earlier) { a.old.Scenarios[0].LoadModel = "another" }); d.Verdict != report.Fail || d.Exit != exit.Fail {
		t.Errorf("a run that failed by itself: got %s, exit %d", d.Verdict, d.Exit)
	}
}

// What is named and cannot be read is told before anything starts.
func TestNoBaselineThere(t *testing.T) {
	o := options(t, file(t, "mine.yaml", reads("users: 1\nrun_for: 1s")), "--url", "http://127.0.0.1:1", "--targets", "none")
	o.Baseline, o.History = filepath.Join(t.TempDir(), "none.json"), filepath.Join(t.TempDir(), "none")
	r := carryOutWith(t, o)
	if r.code != exit.Usage || !strings.Contains(r.talk, "--baseline: ") || !strings.Contains(r.talk, "--history: ") {
		t.Errorf("got exit %d: %s", r.code, r.talk)
	}
}
