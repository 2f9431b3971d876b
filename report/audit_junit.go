package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"vitals/internal/audit"
)

// AuditJUnit renders the audit for CI servers: a suite per family, a case per
// probe. A probe that was skipped is skipped there too.
func AuditJUnit(w io.Writer, a *audit.Report) error {
	out := junitSuites{Name: "vitals audit"}
	var sum time.Duration // of the suite
	add := func(class string, began time.Time, took audit.Millis, c junitCase) {
		n := len(out.Suites)
		if n == 0 || out.Suites[n-1].Name != class {
			out.Suites = append(out.Suites, junitSuite{Name: class, Timestamp: stamp(began)})
			n, sum = n+1, 0
		}
		s := &out.Suites[n-1]
		sum += time.Duration(took)
		c.Class, s.Time = class, seconds(sum)
		s.Cases = append(s.Cases, c)
		s.count(c)
	}
	for _, f := range a.Findings {
		if f.Status == audit.NotAsked {
			continue // no case: nobody promised it
		}
		c := junitCase{Name: f.ID + " " + f.Title, Time: seconds(time.Duration(f.Took))}
		why := &junitMessage{Message: firstLine(words(f, " ")), Text: stripLines(words(f, "\n"))}
		switch f.Status {
		case audit.Fail:
			c.Failure = why
		case audit.Skip:
			c.Skipped = why
		case audit.Advice: // no failure, but no bare pass either
			c.Out = "ADVICE: " + reason(f)
		}
		add("vitals.audit."+strings.ReplaceAll(audit.Family(f.ID), " ", "_"), f.Began, f.Took, c)
	}
	add("vitals.audit.invariants", auditTaken(a), 0, checkCase("", auditInvariants(a)))
	if c := auditEnding(a); c != nil {
		add("vitals.audit.ending", auditTaken(a), 0, *c)
	}
	for _, s := range out.Suites {
		out.Tests, out.Failures, out.Errors = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err = w.Write([]byte(xml.Header + string(text) + "\n"))
	return err
}

// auditEnding is the early end of an audit as a case; nil when there was none. What was
// not run is no pass of the API's, and no failure of its either.
func auditEnding(a *audit.Report) *junitCase {
	if !a.Partial && a.Stopped == "" {
		return nil
	}
	ids, _ := a.Unrun()
	why := "interrupted"
	if !a.Partial {
		why = "the API stopped answering during " + a.Stopped
	}
	words := []string{why}
	if len(ids) > 0 {
		words = []string{why + ": " + plural(len(ids), "probe") + " not run", strings.Join(ids, " ")}
	}
	return &junitCase{Name: "the audit went to its end", Error: &junitMessage{Message: strip(words[0]), Text: stripLines(strings.Join(words, "\n"))}}
}
