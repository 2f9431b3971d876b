package report

import (
	"cmp"
	"slices"
	"strings"

	"vitals/internal/measure"
)

// early is why a run did not go to its end; "" when it did.
func early(r *measure.Result) string {
	switch {
	case r.Unbegun():
		return "the load did not begin: " + r.EndedEarly
	case r.EndedEarly != "":
		return "ended early: " + r.EndedEarly
	case r.Partial:
		return "interrupted: this is what was measured until then"
	}
	return ""
}

// warnings are why a run did not go to its end, and why its figures are not to be
// believed.
func warnings(r *Run) []string {
	why := slices.Concat(r.Result.Health.Away, doubts(r))
	if ended := early(r.Result); ended != "" {
		return append([]string{ended}, why...)
	}
	return why
}

// partial is what kept a session from its end.
func partial(d *Document) string {
	const interrupted = 130
	how := "not all of it was run"
	if d.Exit == interrupted {
		how = "interrupted"
	}
	for _, r := range d.Runs {
		switch {
		case r.Result.Unbegun():
			how = "the load did not begin"
		case r.Result.EndedEarly != "":
			return "ended early"
		case r.Result.Partial:
			how = "interrupted"
		}
	}
	return how
}

// endingCase is the early end of a run as a case; nil when there was none. An
// abort rule is a judgement of the system, all else is a lack of one.
func endingCase(class string, r *Run) *junitCase {
	why := early(r.Result)
	if why == "" {
		return nil
	}
	c, message := junitCase{Class: class, Name: "the run went to its end"}, &junitMessage{Message: strip(why), Text: stripLines(strings.Join(r.Reasons, "\n"))}
	if r.Result.EndedBy == measure.Aborted && r.Verdict == Fail {
		c.Failure = message
	} else {
		c.Error = message
	}
	return &c
}

// red tells whether a CI server must show the session as failed: whenever its exit code
// fails the job. A comparison that is open fails it only where that was asked for.
func (d *Document) red() bool {
	return d.Exit != 0 || d.Verdict == Fail || d.Verdict == Invalid || d.Verdict == NoData
}

// sessionCase is the verdict of a whole session that no run and no figure of it tells.
func sessionCase(class string, d *Document) junitCase {
	words := []string{cmp.Or(d.Verdict, NoData)}
	if len(d.Reasons) > 0 {
		words = d.Reasons
	}
	c, message := junitCase{Class: class, Name: "the session"}, &junitMessage{Message: strip(words[0]), Text: stripLines(strings.Join(words, "\n"))}
	if d.Comparison != nil && len(d.Runs) == 0 {
		c.Name = "the comparison"
	}
	if d.Verdict == Fail && !d.Partial {
		c.Failure = message
	} else {
		c.Error = message
	}
	return c
}

// verdictCase is the verdict of a run as a case.
func verdictCase(class string, r *Run) junitCase {
	c, message := junitCase{Class: class, Name: "verdict"}, &junitMessage{Message: r.Verdict, Text: stripLines(strings.Join(r.Reasons, "\n"))}
	switch r.Verdict {
	case Pass:
	case Fail:
		c.Failure = message
	default:
		c.Error = message
	}
	return c
}

// red tells whether a CI server shows the case as failed.
func (c junitCase) red() bool { return c.Failure != nil || c.Error != nil }
