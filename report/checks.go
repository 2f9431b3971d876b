package report

import (
	"fmt"
	"slices"
	"strings"

	"vitals/internal/limitcheck"
	"vitals/internal/observe"
	"vitals/targets"
)

// Invariants is what the checker of the rate limits' invariants found in the
// answers of one run.
type Invariants struct {
	Answers    int64                  `json:"answers"`           // of limited operations, looked at
	Profile    string                 `json:"profile,omitempty"` // whose limits they were held to
	Violations []limitcheck.Violation `json:"violations,omitempty"`
	More       int64                  `json:"more,omitempty"`     // violations beyond those kept
	Doubts     []string               `json:"doubts,omitempty"`   // what was not judged, and why
	Unjudged   string                 `json:"unjudged,omitempty"` // why nothing was
}

// Broken is how many invariants were seen broken.
func (h *Invariants) Broken() int {
	if h == nil {
		return 0
	}
	return len(h.Violations) + int(h.More)
}

// Judged tells whether answers were held to the invariants.
func (h *Invariants) Judged() bool { return h != nil && h.Unjudged == "" && h.Answers > 0 }

// check is one of the checks that every run makes beside its targets.
type check struct {
	name   string // for CI servers
	status targets.Status
	words  string
	proof  []string // each of several lines
	doubts []string
	self   bool // failing, it says that the measurement is not valid
}

// checks are a run's, as far as it has any.
func checks(r *Run) (out []check) {
	if r.Invariants != nil {
		out = append(out, invariantsCheck(r.Invariants))
	}
	if r.Reconciliation != nil {
		out = append(out, reconciliationCheck(r.Reconciliation))
	}
	return out
}

// mostShown is how many violations are shown whole; the document has all.
const mostShown = 5

func invariantsCheck(h *Invariants) check {
	c := check{name: "rate-limit invariants hold over every answer", doubts: h.Doubts}
	of := fmt.Sprintf("rate-limit invariants: %s, ", plural64(h.Answers, "answer"))
	switch n := h.Broken(); {
	case n > 0:
		c.status = targets.Fail
		c.words = of + plural(n, "violation")
		for i, v := range h.Violations {
			if i == mostShown {
				c.proof = append(c.proof, fmt.Sprintf("and %s more in the document", count(int64(n-i))))
				break
			}
			c.proof = append(c.proof, v.String())
		}
	case h.Unjudged != "":
		c.words = "rate-limit invariants not judged: " + h.Unjudged
	case h.Answers == 0 && len(h.Doubts) > 0:
		c.words, c.doubts = "rate-limit invariants not judged: "+strings.Join(h.Doubts, "; "), nil
	case h.Answers == 0:
		c.words = "rate-limit invariants not judged: no answer of an operation was seen whose limit they are about"
	default:
		c.status, c.words = targets.Pass, of+"0 violations"
	}
	return c
}

func reconciliationCheck(b *observe.Reconciliation) check {
	c := check{name: "request counts: client and server agree", doubts: b.Explained, self: true}
	on := plural64(b.Requests, "request") + ", " + plural(b.Routes, "route")
	switch {
	case len(b.Findings) > 0:
		c.status = targets.Fail
		if c.words = "request counts: " + plural(len(b.Findings), "unexplained difference") + " over " + on; b.Unread != "" {
			c.words = "request counts: " + b.Findings[0] // as a restart, which is known all the same
			c.doubts = append(slices.Clone(c.doubts), "not compared: "+b.Unread)
		}
		for i, f := range b.Findings {
			if i == 0 && b.Unread != "" {
				continue // told
			}
			if i == mostShown && len(b.Findings) > mostShown+1 {
				c.proof = append(c.proof, fmt.Sprintf("and %s more in the document", count(int64(len(b.Findings)-i))))
				break
			}
			c.proof = append(c.proof, f)
		}
	case b.Unread != "":
		c.words = "request counts not compared: " + b.Unread
	case b.Requests == 0:
		c.words = "request counts not compared: no request was answered"
	default:
		c.status, c.words = targets.Pass, "request counts: client and server agree on "+on
	}
	return c
}

// requestCounts are all rows, with the mark of those that differ.
func requestCounts(b *observe.Reconciliation) grid {
	g := grid{title: "request counts by route and status", cols: []column{
		{words: true}, {title: "route", words: true}, {title: "status"}, {title: "client"}, {title: "server"},
	}}
	if b == nil {
		return g
	}
	for _, r := range b.Rows {
		mark := ""
		if r.Found {
			mark = marks[targets.Fail].glyph
		}
		status := code(r.Status)
		g.rows = append(g.rows, []string{mark, r.Method + " " + r.Route, status, count(r.Ours), count(r.Theirs)})
	}
	return g
}

// text is the check in full, for one that does not pass.
func (c check) text() string {
	return strings.Join(append([]string{c.words}, append(c.proof, c.doubts...)...), "\n")
}
