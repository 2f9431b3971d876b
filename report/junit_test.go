package report_test

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"vitals/internal/baseline"
	"vitals/report"
	"vitals/targets"
)

// red counts what a CI server shows as failed.
type red struct {
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	} `xml:"testsuite"`
}

func redOf(t *testing.T, d *report.Document) (r red, text string) {
	t.Helper()
	out := render(t, report.JUnit, d)
	if err := xml.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, s := range r.Suites {
		sum += s.Failures + s.Errors
	}
	if sum != r.Failures+r.Errors {
		t.Errorf("the suites have %d red cases, the whole %d", sum, r.Failures+r.Errors)
	}
	return r, string(out)
}

// TestJUnitIsRedWhereTheJobFails: a document whose exit code is not 0 has a case that
// says so, whatever its runs and rows say, and with the reason; one that exits 0 and
// passes has none.
func TestJUnitIsRedWhereTheJobFails(t *testing.T) {
	passing := func() *report.Document {
		d := document(t)
		d.Runs = d.Runs[:1]
		r := &d.Runs[0]
		r.Verdict, r.Reasons = report.Pass, nil
		r.Verdicts = slices.DeleteFunc(r.Verdicts, func(v targets.Verdict) bool { return v.Status != targets.Pass })
		d.Verdict, d.Reasons, d.Exit = report.Pass, nil, 0
		return d
	}
	if r, text := redOf(t, passing()); r.Failures+r.Errors != 0 {
		t.Fatalf("a pass is red:\n%s", text)
	}
	row := func(c baseline.Change) []baseline.Row {
		return []baseline.Row{{Scenario: "normal", Metric: "p95", Gating: true, Change: c}}
	}
	comparisons := []*baseline.Comparison{
		nil, {Verdict: baseline.OverallPass, Rows: row(baseline.NoChange)}, {Verdict: baseline.OverallWorse, Rows: row(baseline.Worse)},
		{Verdict: baseline.OverallInconclusive, Rows: row(baseline.Inconclusive)}, {Verdict: baseline.OverallInconclusive, Rows: row(baseline.Worse)},
		{Verdict: baseline.OverallNotCompared}, {Verdict: baseline.OverallInvalid, Rows: row(baseline.Worse)},
		{Verdict: baseline.OverallConfirm, Rows: row(baseline.Inconclusive)},
	}
	for _, verdict := range []string{report.Pass, report.Fail, report.NoData, report.Invalid, report.Inconclusive} {
		for _, code := range []int{1, 3, 4, 130} {
			for _, c := range comparisons {
				for _, runs := range []bool{true, false} {
					d := passing()
					if !runs {
						d.Runs = nil
					}
					d.Verdict, d.Exit, d.Comparison, d.Reasons = verdict, code, c, []string{"not compared with the baseline: THE REASON"}
					r, text := redOf(t, d)
					decided := c != nil && c.Verdict == baseline.OverallWorse // its row says why
					if r.Failures+r.Errors == 0 || !decided && !strings.Contains(text, "THE REASON") {
						t.Errorf("%s, exit %d, comparison %+v, runs %t: got\n%s", verdict, code, c, runs, text)
					}
					if c != nil && c.Verdict == baseline.OverallInvalid && verdict != report.Fail && r.Failures != 0 {
						t.Errorf("a comparison that is invalid: got a failure\n%s", text)
					}
				}
			}
		}
	}
	d := passing() // open, and to pass: what is open is skipped
	d.Runs, d.Verdict, d.Comparison = nil, report.Inconclusive, comparisons[3]
	if r, text := redOf(t, d); r.Failures+r.Errors != 0 {
		t.Errorf("an open comparison that may pass is red:\n%s", text)
	}
}

// TestPhasesOfAnInterruptedRun: a phase counts as long as it lasted.
func TestPhasesOfAnInterruptedRun(t *testing.T) {
	d := document(t)
	d.Runs = d.Runs[:1]
	r := d.Runs[0].Result
	served := func() string {
		text := string(render(t, report.Verbose, d))
		_, text, _ = strings.Cut(text, "by phase")
		for line := range strings.Lines(text) {
			if strings.Contains(line, " hold ") {
				return strings.Join(strings.Fields(line), " ")
			}
		}
		return text
	}
	if got := served(); !strings.Contains(got, "hold judged 5.00s 25.0s 9,981 499/s") {
		t.Errorf("the whole: got %q", got)
	}
	r.Partial, r.Took = true, r.Phases[1].From+(r.Phases[1].To-r.Phases[1].From)/4
	if got := served(); !strings.Contains(got, "hold judged 5.00s 10.0s 9,981 1,996/s") {
		t.Errorf("a quarter of it: got %q", got)
	}
}

// What intruders were granted is a failure of its own, beside what else went wrong: a
// busy machine's error, or a target that was missed, does not take its place.
func TestJUnitTellsWhatIntrudersWereGranted(t *testing.T) {
	const granted = `intruder "guesser" (password guessing): 20 of 20 wrong credentials were accepted`
	for _, doubted := range []bool{false, true} {
		d := document(t)
		d.Runs = d.Runs[:1]
		r := &d.Runs[0]
		r.Verdict, r.Reasons, r.Result.Granted = report.Fail, []string{granted}, []string{granted}
		if doubted {
			r.Result.Health.Invalid = []string{"generator: CPU contention"}
		}
		d.Verdict, d.Reasons, d.Exit = report.Fail, r.Reasons, 1
		if got, text := redOf(t, d); got.Failures == 0 || !strings.Contains(text, "20 of 20 wrong credentials were accepted") {
			t.Errorf("doubted %v: got %d failures:\n%s", doubted, got.Failures, text)
		}
		// A failure by whatever reason is one in JUnit, though the machine was busy.
		r.Result.Granted = nil
		if got, text := redOf(t, d); got.Failures == 0 {
			t.Errorf("doubted %v: a FAIL is no failure:\n%s", doubted, text)
		}
	}
}
