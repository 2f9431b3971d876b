package report

import (
	"fmt"
	"strings"

	"vitals/internal/limitcheck"
	"vitals/internal/observe"
	"vitals/targets"
)

// Invariants is what the checker of the limits' invariants (J1 to J7)
// found in the answers of one run.
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

// check is one of the checks that every run makes beside its targets.
type check struct {
	name   string // for CI servers
	status targets.Status
	words  string
	proof  []string // each of several lines
	doubts []string
	self   bool // failing, it says that the measurement is not valid
}

// checks are a run's, as far as it has any: documents of old have none.
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
	c := check{name: "history: J1 to J7 hold over every answer", doubts: h.Doubts}
	of := fmt.Sprintf("history of %s answers (J1 to J7)", count(h.Answers))
	switch n := h.Broken(); {
	case n > 0:
		c.status = targets.Fail
		c.words = of + ": " + broken(n)
		for i, v := range h.Violations {
			if i == mostShown {
				c.proof = append(c.proof, fmt.Sprintf("and %s more in the document", count(int64(n-i))))
				break
			}
			c.proof = append(c.proof, v.String())
		}
	case h.Unjudged != "":
		c.words = "history not judged: " + h.Unjudged
	case h.Answers == 0:
		c.words = "history not judged: no answer of a limited operation was seen"
	default:
		c.status, c.words = targets.Pass, of+": no invariant broken"
	}
	return c
}

func broken(n int) string {
	if n == 1 {
		return "1 invariant broken"
	}
	return fmt.Sprintf("invariants broken %s times", count(int64(n)))
}

func reconciliationCheck(b *observe.Reconciliation) check {
	c := check{name: "books: our counts and the server's agree", doubts: b.Explained, self: true}
	of := fmt.Sprintf("books: %s requests on %s", count(b.Requests), plural(b.Routes, "route"))
	switch {
	case len(b.Findings) > 0:
		c.status = targets.Fail
		if c.words = of + ": " + plural(len(b.Findings), "difference") + " without a reason"; b.Unread != "" {
			c.words = "books: " + b.Unread
			return c
		}
		for i, f := range b.Findings {
			if i == mostShown && len(b.Findings) > mostShown+1 {
				c.proof = append(c.proof, fmt.Sprintf("and %s more in the document", count(int64(len(b.Findings)-i))))
				break
			}
			c.proof = append(c.proof, f)
		}
	case b.Unread != "":
		c.words = "books not reconciled: " + b.Unread
	case b.Requests == 0:
		c.words = "books not reconciled: no request was answered"
	default:
		c.status, c.words = targets.Pass, of+" agree"
	}
	return c
}

// books are all rows, with the mark of those that differ.
func books(b *observe.Reconciliation) grid {
	g := grid{title: "books", cols: []column{
		{words: true}, {title: "route", words: true}, {title: "status"}, {title: "ours"}, {title: "theirs"},
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
