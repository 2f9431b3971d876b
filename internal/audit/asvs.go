package audit

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// Proved is a standard's whole list against an audit: what each requirement that a probe
// bears on came to, and those that no probe bears on.
type Proved struct {
	Standard     string    `json:"standard"` // asvs-5.0
	Requirements []Outcome `json:"requirements"`
	Unproved     []Chapter `json:"unproved"` // nothing that is sent from outside proves them
}

// Outcome is what became of one requirement.
type Outcome struct {
	ID       string   `json:"id"` // as v5.0.0-6.3.1
	Level    int      `json:"level"`
	Asks     string   `json:"asks"`
	Verdict  string   `json:"verdict"`           // PASS: all that it asks was checked, and held; FAIL; NOT PROVED
	Partly   bool     `json:"partly,omitempty"`  // of NOT PROVED: what was checked of it held
	Evidence []string `json:"evidence"`          // as "LK8 PASS", the worst first
	Because  string   `json:"because,omitempty"` // of FAIL: what failed of exactly this
	Missing  []string `json:"missing,omitempty"` // what of it was not checked
}

// Chapter is a chapter's requirements that no probe bears on.
type Chapter struct {
	Name string   `json:"name"`
	Of   int      `json:"of"` // requirements of the chapter
	IDs  []string `json:"ids"`
}

// The verdicts on a requirement.
const (
	held, broken, notProved = "PASS", "FAIL", "NOT PROVED"
)

// chapters are those of OWASP ASVS 5.0.0, with how many requirements each section has.
var chapters = []struct {
	name     string
	sections []int
}{
	{"Encoding and Sanitization", []int{2, 10, 12, 3, 3}},
	{"Validation and Business Logic", []int{3, 3, 5, 2}},
	{"Web Frontend Security", []int{1, 3, 5, 8, 8, 1, 5}},
	{"API and Web Service", []int{5, 5, 2, 4}},
	{"File Handling", []int{1, 6, 3, 3}},
	{"Authentication", []int{3, 12, 8, 6, 8, 4, 2, 4}},
	{"Session Management", []int{3, 4, 2, 5, 3, 2}},
	{"Authorization", []int{4, 4, 3, 2}},
	{"Self-contained Tokens", []int{3, 4}},
	{"OAuth and OIDC", []int{2, 3, 5, 16, 5, 2, 3}},
	{"Cryptography", []int{4, 5, 5, 4, 2, 2, 2}},
	{"Secure Communication", []int{5, 2, 5}},
	{"Configuration", []int{4, 6, 4, 7}},
	{"Data Protection", []int{2, 8, 3}},
	{"Secure Coding and Architecture", []int{5, 5, 7, 4}},
	{"Security Logging and Error Handling", []int{1, 5, 4, 3, 4}},
	{"WebRTC", []int{2, 8, 2}},
}

// asvs holds the findings, and the invariants that broke, against the standard.
func asvs(findings []Finding, violations []limitcheck.Violation) Proved {
	p := Proved{Standard: profile.ASVS}
	asked := map[string]bool{}
	for _, r := range requirements {
		asked[r.ID] = true
		p.Requirements = append(p.Requirements, outcome(r, findings, violations))
	}
	for c, chapter := range chapters {
		ch := Chapter{Name: fmt.Sprintf("V%d %s", c+1, chapter.name)}
		for s, n := range chapter.sections {
			ch.Of += n
			for r := range n {
				if id := fmt.Sprintf("%d.%d.%d", c+1, s+1, r+1); !asked[id] {
					ch.IDs = append(ch.IDs, release+id)
				}
			}
		}
		if len(ch.IDs) > 0 {
			p.Unproved = append(p.Unproved, ch)
		}
	}
	return p
}

// guessing are the limits whose invariants are the standard's own requirement, that a
// limit on guessing is kept as it is documented.
var guessing = map[string]string{"login": "6.3.1", "2fa_verify": "6.6.3"}

// outcome is what was found of a requirement. It holds when every probe that bears on it
// checked exactly that, and nothing of its text is left; a promise that is weaker is no
// evidence, and neither is what failed of something else.
func outcome(r Requirement, findings []Finding, violations []limitcheck.Violation) Outcome {
	o := Outcome{ID: release + r.ID, Level: r.Level, Asks: r.Asks, Verdict: notProved, Evidence: []string{}}
	var failed, passed, open, left []string
	for _, p := range Probes() {
		if !slices.Contains(bears(p.ID), r.ID) {
			continue
		}
		at := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == p.ID })
		if at < 0 {
			left = append(left, p.ID)
			continue
		}
		f := findings[at]
		var piece Piece
		for _, one := range f.Evidence {
			if one.Requirement == o.ID {
				piece = one
			}
		}
		switch {
		case f.unfit: // there is nothing of the kind to be checked
		case len(piece.Failed) > 0:
			failed = append(failed, p.ID+" FAIL")
			o.Because = cmp.Or(o.Because, firstLine(piece.Failed[0]))
		case piece.Checks > 0 && f.Status != Skip && f.Status != NotAsked:
			passed = append(passed, p.ID+" PASS")
			o.missing(p.ID, piece.Missing)
		default:
			if f.Status == Skip || f.Status == NotAsked { // else what it found is of other requirements
				open = append(open, p.ID+" "+f.Status.String())
			}
			if o.missing(p.ID, piece.Missing); len(piece.Missing) == 0 {
				o.missing(p.ID, []string{cmp.Or(f.Reason, "it did not look at this")})
			}
		}
	}
	for _, v := range violations {
		if words := v.Rule + " FAIL"; guessing[v.Policy] == r.ID && !slices.Contains(failed, words) {
			failed = append(failed, words)
			o.Because = cmp.Or(o.Because, firstLine(v.String()))
		}
	}
	if len(left) > 0 {
		o.Missing = append(o.Missing, "not carried out: "+strings.Join(left, ", "))
	}
	if r.Beyond != "" {
		o.Missing = append(o.Missing, "no probe looks at "+r.Beyond)
	}
	o.Evidence = slices.Concat([]string{}, failed, passed, open)
	switch {
	case len(failed) > 0:
		o.Verdict = broken
	case len(passed) > 0 && len(o.Missing) == 0:
		o.Verdict = held
	default:
		o.Partly = len(passed) > 0
	}
	return o
}

// missing notes what a probe left open.
func (o *Outcome) missing(id string, what []string) {
	for _, words := range what {
		o.Missing = append(o.Missing, id+": "+firstLine(words))
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// Says is the verdict in words: PASS, FAIL, NOT PROVED or NOT PROVED (partly).
func (o Outcome) Says() string {
	if o.Partly {
		return o.Verdict + " (partly)"
	}
	return o.Verdict
}

// write prints the standard for a person: requirement, verdict, evidence, and how many of
// each chapter nothing here proves.
func (p Proved) write(w io.Writer) {
	fmt.Fprintf(w, "\nOWASP ASVS 5.0.0: requirement, level, verdict, evidence\n")
	counts, partly := map[string]int{}, 0
	for _, o := range p.Requirements {
		if counts[o.Verdict]++; o.Partly {
			partly++
		}
		fmt.Fprintf(w, "  %-15s L%d  %-19s %s\n", o.ID, o.Level, o.Says(), o.Asks)
		for _, line := range []string{strings.Join(o.Evidence, ", "), o.Because} {
			if line != "" {
				fmt.Fprintf(w, "%42s%s\n", "", line)
			}
		}
		if o.Verdict == notProved && len(o.Missing) > 0 {
			fmt.Fprintf(w, "%42smissing: %s\n", "", strings.Join(o.Missing, "; "))
		}
	}
	fmt.Fprintf(w, "\n%d %s, %d %s, %d %s (%d of them partly), of requirements that a probe bears on. PASS is of the answers that were looked at.\n", counts[held], held, counts[broken], broken, counts[notProved], notProved, partly)
	b := strings.Builder{}
	all, of := 0, 0
	for _, c := range p.Unproved {
		all += len(c.IDs)
		fmt.Fprintf(&b, "  %-40s %2d of %2d\n", c.Name, len(c.IDs), c.Of)
	}
	for _, c := range chapters {
		for _, n := range c.sections {
			of += n
		}
	}
	fmt.Fprintf(w, "\nNot proved from outside by any probe: %d of %d requirements; their ids are in audit.json\n%s", all, of, b.String())
}
