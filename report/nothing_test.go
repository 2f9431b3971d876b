package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"vitals/internal/limitcheck"
	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// A reason of two lines at the most shows the answer though it has no spaces.
func TestLongWordIsShown(t *testing.T) {
	d := document(t)
	d.Runs = d.Runs[:1]
	d.Runs[0].Result.Failures = nil
	for class := range d.Runs[0].Result.Total(true, true).Classes {
		d.Runs[0].Result.Failures = append(d.Runs[0].Result.Failures, measure.Exemplar{Step: "list", Class: class, Why: "want any 2xx, got 500",
			Body: `{"error":"` + strings.Repeat("x", 250) + `"}`})
	}
	for _, width := range []int{60, 100} {
		var b strings.Builder
		if err := report.Summary(report.Style{Width: width}, "")(&b, d); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `{"error":"xxx`) || !strings.Contains(b.String(), "xx…\n") {
			t.Errorf("at %d columns: got\n%s", width, &b)
		}
		for line := range strings.Lines(b.String()) {
			if strings.Contains(line, "xxx") && len([]rune(line)) > width+1 {
				t.Errorf("at %d columns: a line of %d: %s", width, len([]rune(line)), line)
			}
		}
	}
}

// A run of which no target was asked says that nothing was judged, and counts none.
func TestNothingJudged(t *testing.T) {
	d := document(t)
	for i := range d.Runs {
		d.Runs[i].Verdicts, d.Runs[i].Invariants = nil, nil
	}
	first, _, _ := strings.Cut(string(render(t, report.Terminal, d)), "\n")
	if !strings.Contains(first, "no targets asked: nothing was judged") || strings.Contains(first, " met") {
		t.Errorf("got %q", first)
	}
}

// Every kind of failure is seen before a second of any, also where there are more kinds
// than are shown of one; and how many there are of each is said.
func TestEveryKindOfFailureIsSeen(t *testing.T) {
	d := document(t)
	d.Runs = d.Runs[:1]
	d.Runs[0].Result.Failures = nil
	for i := range 10 {
		for _, step := range []string{"ask", "buy", "count"} {
			for _, member := range []string{"one", "two", "three"} {
				d.Runs[0].Result.Failures = append(d.Runs[0].Result.Failures, measure.Exemplar{
					Step: step, Class: "check", Code: 200, Why: fmt.Sprintf("json %s: want 1, got 1%d", member, i),
				})
			}
		}
	}
	var verbose, markdown strings.Builder
	if err := errors.Join(report.Verbose(&verbose, d), report.Markdown(&markdown, d)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"ask", "buy", "count"} {
		for _, member := range []string{"one", "two", "three"} {
			if want := fmt.Sprintf("json %s: want 1, got 10 (10 such kept)", member); strings.Count(verbose.String(), want) != 3 {
				t.Errorf("%s: %q is not told once of each step:\n%s", step, want, &verbose)
			}
			if want := fmt.Sprintf("json %s: want 1, got 10", member); strings.Count(markdown.String(), want) != 3 {
				t.Errorf("%s: %q is not told once of each step in Markdown:\n%s", step, want, &markdown)
			}
		}
	}
	if !strings.Contains(verbose.String(), "not as expected (9 of 90 kept)") {
		t.Errorf("it is not said how many there are:\n%s", &verbose)
	}
}

// One scenario fails and another has no data: each annotation says its own verdict.
func TestAnnotationsSayTheirOwnVerdict(t *testing.T) {
	d := document(t)
	d.Verdict, d.Reasons = report.Fail, []string{d.Runs[0].Result.Scenario + ": nothing was judged"}
	d.Runs[0].Verdict = report.NoData
	var b strings.Builder
	if err := report.GitHub(&b, d); err != nil {
		t.Fatal(err)
	}
	if want := "::error title=NO DATA::" + d.Reasons[0]; !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s, want %s", &b, want)
	}
}

// Where every target is met, the headline says why the verdict is none the less FAIL.
func TestBrokenInvariantsAreInTheHeadline(t *testing.T) {
	d := document(t)
	d.Runs = d.Runs[:1]
	for i := range d.Runs[0].Verdicts {
		d.Runs[0].Verdicts[i].Status = targets.Pass
	}
	broken := []limitcheck.Violation{{Rule: "J6"}, {Rule: "J6"}, {Rule: "J1"}}
	d.Runs[0].Invariants = &report.Invariants{Answers: 9, Violations: broken}
	var b strings.Builder
	if err := report.Summary(report.Style{Width: 120}, "out")(&b, d); err != nil {
		t.Fatal(err)
	}
	if want := "targets met; rate-limit invariants broken: J6, J1 (exit 1)"; !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s, want %s", &b, want)
	}
}

// A run that ended before its judged window has sent requests all the same.
func TestRequestsBeforeTheJudgedWindowAreShown(t *testing.T) {
	d := document(t)
	r := d.Runs[0].Result
	r.Phases = r.Phases[:1] // the ramp
	var b strings.Builder
	if err := report.Summary(report.Style{}, "out")(&b, d); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("0 (%d unjudged)", r.Total(true, false).Counts.Sent); !strings.Contains(strings.ReplaceAll(b.String(), ",", ""), want) {
		t.Errorf("got\n%s, want %s", &b, want)
	}
}

// A step that no user came to is told: its figures are no zeros.
func TestAStepThatWasNeverSent(t *testing.T) {
	d := document(t)
	d.Runs, d.Deviations, d.Runs[0].Result.Failures = d.Runs[:1], nil, nil
	res := d.Runs[0].Result
	res.Phases[0].Steps = append(res.Phases[0].Steps, measure.StepResult{Step: measure.Step{Journey: "buy", Name: "pay"}}, measure.StepResult{Step: measure.Step{Journey: "intruder", Name: "guess", Intruder: true}},
		measure.StepResult{Step: measure.Step{Journey: measure.Session, Name: "guess a refresh"}})
	for partial, want := range map[bool]bool{false: true, true: false} {
		res.Partial = partial
		var b strings.Builder
		if err := report.Summary(report.Style{Width: 120}, "")(&b, d); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), `never sent, so that nothing is known of it: "pay"`+"\n"); got != want {
			t.Errorf("partial %v: got\n%s", partial, &b)
		}
		if strings.Contains(b.String(), `"guess"`) {
			t.Errorf("an intruder's step is told: \n%s", &b)
		}
	}
}

// What intruders were granted is told where no target asks for it.
func TestGainsThatNoTargetAsksFor(t *testing.T) {
	d := document(t)
	d.Runs, d.Deviations, d.Runs[0].Result.Failures = d.Runs[:1], nil, nil
	d.Runs[0].Result.Facts = append(d.Runs[0].Result.Facts, measure.Fact{Name: "intruders.leaked", Value: 4, N: 8, Note: "an access token after signing out: 4 times"})
	for _, asked := range []bool{false, true} {
		if asked {
			d.Runs[0].Verdicts = append(d.Runs[0].Verdicts, targets.Verdict{Target: targets.Target{Metric: "intruders.leaked", Op: "<="}})
		}
		var b strings.Builder
		if err := report.Summary(report.Style{Width: 160}, "")(&b, d); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "intruders.leaked was 4, and no target asks for it: an access token after signing out: 4 times"); got == asked {
			t.Errorf("asked %v: got\n%s", asked, &b)
		}
	}
}
