package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/measure"
	"vitals/targets"
)

// JUnit renders the document for CI servers: a suite per scenario, a case per
// target. A missed target is a failure; no data, and a measurement that is not
// valid, are errors, so that neither can be taken for a pass.
func JUnit(w io.Writer, d *Document) error {
	out := junitSuites{Name: "vitals"}
	for i := range d.Runs {
		s := suite(d, d.title(i), &d.Runs[i])
		out.Tests += s.Tests
		out.Failures += s.Failures
		out.Errors += s.Errors
		out.Suites = append(out.Suites, s)
	}
	if d.Comparison != nil {
		s := comparisonSuite(d)
		out.Tests, out.Failures, out.Errors = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors
		out.Suites = append(out.Suites, s)
	}
	switch {
	case len(out.Suites) == 0:
		c := junitCase{Class: "vitals", Name: "any scenario was run", Error: &junitMessage{Message: "no data", Text: strings.Join(d.Reasons, "\n")}}
		out.Tests, out.Errors = 1, 1
		out.Suites = []junitSuite{{Name: "vitals", Tests: 1, Errors: 1, Time: "0.000", Timestamp: stamp(d.Created), Cases: []junitCase{c}}}
	case out.Failures+out.Errors == 0 && d.red():
		s := junitSuite{Name: "vitals.session", Time: "0.000", Timestamp: stamp(d.Created), Properties: []junitProperty{{"verdict", d.Verdict}}}
		s.Cases = []junitCase{sessionCase(s.Name, d)}
		s.count(s.Cases[0])
		out.Tests, out.Failures, out.Errors = out.Tests+s.Tests, s.Failures, s.Errors
		out.Suites = append(out.Suites, s)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err = w.Write([]byte(xml.Header + string(text) + "\n"))
	return err
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr,omitempty"`
	Time       string          `xml:"time,attr"` // seconds
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out,omitempty"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr,omitempty"` // seconds; "" = it took none of its own
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func suite(d *Document, name string, r *Run) junitSuite {
	s := junitSuite{
		Name: "vitals." + name, Time: seconds(r.Result.Took), Timestamp: stamp(r.Result.Began),
		Properties: []junitProperty{
			{"stack", subject(d)}, {"machine", machine(d.Machine)}, {"pace", r.Result.Pace}, {"scenario_sha256", r.Result.Hash}, {"verdict", r.Verdict},
		},
	}
	for _, dev := range d.Deviations {
		s.Properties = append(s.Properties, junitProperty{"deviation", dev})
	}
	for _, f := range faults(r) {
		s.Properties = append(s.Properties, junitProperty{"fault", f})
	}
	valid := junitCase{Class: s.Name, Name: "the measurement is valid", Out: generator(r.Result)}
	if why := doubts(r); len(why) > 0 {
		valid.Error = &junitMessage{Message: why[0], Text: strings.Join(why, "\n")}
	}
	s.Cases = append(s.Cases, valid)
	if c := endingCase(s.Name, r); c != nil {
		s.Cases = append(s.Cases, *c)
	}
	for _, v := range r.Verdicts {
		c := junitCase{Class: s.Name, Name: v.Target.Text, Out: sentence(v)}
		switch v.Status {
		case targets.Pass:
		case targets.Fail:
			c.Failure = &junitMessage{Message: "got " + got(v), Text: sentence(v)}
		default:
			c.Error = &junitMessage{Message: "no data", Text: sentence(v)}
		}
		s.Cases = append(s.Cases, c)
	}
	for _, c := range checks(r) {
		s.Cases = append(s.Cases, checkCase(s.Name, c))
	}
	if why := r.Result.Granted; len(why) > 0 && !asks(r, "intruders.leaked") {
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: "intruders are granted nothing", Failure: &junitMessage{Message: strip(why[0]), Text: stripLines(strings.Join(why, "\n"))}})
	}
	told := junitCase.red
	if r.Verdict == Fail { // an error does not say so
		told = func(c junitCase) bool { return c.Failure != nil }
	}
	if c := verdictCase(s.Name, r); c.red() && !slices.ContainsFunc(s.Cases, told) {
		s.Cases = append(s.Cases, c) // the run's verdict is the last word
	}
	for _, c := range s.Cases {
		s.count(c)
	}
	s.Out = failed(r.Result)
	return s
}

// failed are the first requests of each kind that did not go as expected, a line each: what
// was wanted, and what came.
func failed(r *measure.Result) string {
	es, _ := firstOfEach(r.Failures)
	var lines []string
	for _, e := range es[:min(len(es), mostKinds)] {
		lines = append(lines, "not as expected: "+came(e))
	}
	return stripLines(strings.Join(lines, "\n"))
}

// comparisonSuite is a case for each figure that gates against a baseline. One that is
// open is skipped: it is no pass, and by itself fails nothing.
func comparisonSuite(d *Document) junitSuite {
	s := junitSuite{Name: "vitals.comparison", Time: "0.000", Timestamp: stamp(d.Created), Properties: []junitProperty{
		{"old", side(d.Comparison.Old)}, {"new", side(d.Comparison.New)}, {"verdict", string(d.Comparison.Verdict)},
	}}
	for _, r := range d.Comparison.Rows {
		if !r.Gating {
			continue
		}
		c := junitCase{Class: s.Name, Name: r.Metric + " " + r.Scenario}
		why := &junitMessage{Message: r.Word(), Text: strip(r.Line())}
		switch {
		case r.Change == baseline.Worse && d.Comparison.Verdict != baseline.OverallWorse: // a gate that may not fail a build
			c.Skipped = why
		case r.Change == baseline.Worse:
			c.Failure = why
		case r.Change == baseline.NotCompared || r.Change == baseline.Insufficient || r.Confirm:
			c.Error = why
		case r.Change == baseline.Inconclusive:
			c.Skipped = why
		default:
			c.Out = why.Text
		}
		s.Cases = append(s.Cases, c)
		s.count(c)
	}
	return s
}

// count adds a case to the suite's sums.
func (s *junitSuite) count(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

// checkCase is a check as a case. One that was not made says so: it is no pass,
// and nobody asked for it.
func checkCase(class string, c check) junitCase {
	out := junitCase{Class: class, Name: c.name}
	why := &junitMessage{Message: strip(c.words), Text: stripLines(c.text())}
	switch {
	case c.status == targets.Pass:
		out.Out = why.Text
	case c.status != targets.Fail:
		out.Skipped = why
	case c.self:
		out.Error = why
	default:
		out.Failure = why
	}
	return out
}

// doubts are the reasons for which a run's figures are not to be believed.
func doubts(r *Run) []string {
	out := r.Result.Health.Invalid[:len(r.Result.Health.Invalid):len(r.Result.Health.Invalid)]
	if r.Reconciliation != nil && len(r.Reconciliation.Findings) > 0 {
		out = append(out, reconciliationCheck(r.Reconciliation).words)
	}
	if r.Verdict == Invalid && len(out) == 0 {
		out = append(out, "the run is invalid")
	}
	return out
}

// sentence is a verdict in full: "p95 < 300ms: 148ms, n 27,410".
func sentence(v targets.Verdict) string {
	out := v.Target.Text + ": " + got(v)
	if v.N > 0 {
		out += ", n " + count(v.N)
	}
	if v.Note != "" {
		out += "; " + v.Note
	}
	return out
}

// seconds is a time as JUnit has it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }
