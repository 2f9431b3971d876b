package audit

import (
	"fmt"
	"io"
	"slices"
	"strings"

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
	Verdict  string   `json:"verdict"`           // PASS, FAIL, IN PART (what was asked held, and not all was asked), NOT PROVED
	Evidence []string `json:"evidence"`          // as "LK8 PASS", the worst first
	Because  string   `json:"because,omitempty"` // of the first that failed or, without a pass, was skipped
}

// Chapter is a chapter's requirements that no probe bears on.
type Chapter struct {
	Name string   `json:"name"`
	Of   int      `json:"of"` // requirements of the chapter
	IDs  []string `json:"ids"`
}

// The verdicts on a requirement.
const (
	held, broken, inPart, notProved = "PASS", "FAIL", "IN PART", "NOT PROVED"
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

// asvs holds the findings against the standard.
func asvs(findings []Finding) Proved {
	p := Proved{Standard: profile.ASVS}
	asked := map[string]bool{}
	for _, r := range requirements {
		asked[r.ID] = true
		p.Requirements = append(p.Requirements, outcome(r, findings))
	}
	for c, chapter := range chapters {
		ch := Chapter{Name: fmt.Sprintf("V%d %s", c+1, chapter.name)}
		for s, n := range chapter.sections {
			ch.Of += n
			for r := range n {
				if id := fmt.Sprintf("%d.%d.%d", c+1, s+1, r+1); !asked[id] {
					ch.IDs = append(ch.IDs, "v5.0.0-"+id)
				}
			}
		}
		if len(ch.IDs) > 0 {
			p.Unproved = append(p.Unproved, ch)
		}
	}
	return p
}

// outcome is what the probes that bear on a requirement found. Those that were not
// carried out at all prove nothing, and neither does a line that was skipped.
func outcome(r Requirement, findings []Finding) Outcome {
	o := Outcome{ID: "v5.0.0-" + r.ID, Level: r.Level, Asks: r.Asks, Verdict: notProved, Evidence: []string{}}
	by := map[Status][]Finding{}
	for _, f := range findings {
		if slices.Contains(proofs[f.ID].asvs, r.ID) {
			by[f.Status] = append(by[f.Status], f)
		}
	}
	for _, status := range []Status{Fail, Advice, Pass, Skip} {
		for _, f := range by[status] {
			o.Evidence = append(o.Evidence, f.ID+" "+status.String())
		}
	}
	first := func(fs []Finding) { o.Because, _, _ = strings.Cut(fs[0].Reason, "\n") }
	switch bad := append(by[Fail], by[Advice]...); {
	case len(bad) > 0:
		o.Verdict = broken
		first(bad)
	case len(by[Pass]) > 0 && len(by[Skip]) > 0:
		o.Verdict = inPart
	case len(by[Pass]) > 0:
		o.Verdict = held
	case len(by[Skip]) > 0:
		first(by[Skip])
	default:
		o.Because = "no probe that bears on it was chosen"
	}
	return o
}

// write prints the standard for a person: requirement, verdict, evidence, and how many of
// each chapter nothing here proves.
func (p Proved) write(w io.Writer) {
	fmt.Fprintf(w, "\nOWASP ASVS 5.0.0: requirement, level, verdict, evidence\n")
	counts := map[string]int{}
	for _, o := range p.Requirements {
		counts[o.Verdict]++
		fmt.Fprintf(w, "  %-15s L%d  %-10s %s\n", o.ID, o.Level, o.Verdict, o.Asks)
		if len(o.Evidence) > 0 {
			fmt.Fprintf(w, "%34s%s\n", "", strings.Join(o.Evidence, ", "))
		}
		if o.Because != "" {
			fmt.Fprintf(w, "%34s%s\n", "", o.Because)
		}
	}
	fmt.Fprintf(w, "\n%d %s, %d %s, %d %s, %d %s (of requirements that a probe bears on)\n", counts[held], held, counts[broken], broken, counts[inPart], inPart, counts[notProved], notProved)
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
