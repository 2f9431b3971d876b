// Package audit carries out a security checklist on the wire: each probe sends
// requests to an API, looks at the answers, and says PASS, FAIL or SKIP with
// the transcript that shows it. It speaks HTTP and knows nothing
// of how the API is made; what reaches beyond HTTP, starting an API or stopping
// its database, comes in through an Owner.
package audit

import (
	"fmt"
	"strings"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/strict"
)

// Class says what a probe may do to its target.
type Class uint8

const (
	// Safe probes may be sent anywhere: they guess no credential, create nothing
	// and stay under SafeRate.
	Safe Class = iota
	// Intrusive probes lock addresses, spend quotas and make data: for targets
	// of one's own.
	Intrusive
	// Control probes start, stop and configure an API and what it stands on:
	// they need an Owner.
	Control
)

var classNames = [...]string{"safe", "intrusive", "control"}

// String is safe, intrusive or control.
func (c Class) String() string { return classNames[c] }

// MarshalText is String, for documents.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Class) UnmarshalText(text []byte) error {
	for i, name := range classNames {
		if name == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("no class %q: want %s%s", text, strings.Join(classNames[:], ", "), strict.Meant(string(text), classNames[:]))
}

// Status is the outcome of a probe. The zero value is Skip, so that what did not
// run, or checked nothing, never reads as a pass.
type Status uint8

// The outcomes: Skip has a reason, Fail has what was found, and Advice what was found
// that nobody promised: it never fails a build by itself. NotAsked is what is neither
// promised nor in a standard that was asked for, and was not tried, or lacks its subject.
const (
	Skip Status = iota
	Pass
	Fail
	Advice
	NotAsked
)

var statusNames = [...]string{"SKIP", "PASS", "FAIL", "ADVICE", "NOT ASKED"}

// String is SKIP, PASS, FAIL, ADVICE or NOT ASKED.
func (s Status) String() string { return statusNames[s] }

// MarshalText is String, for documents.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if name == string(text) {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("no status %q: want %s", text, strings.Join(statusNames[:], ", "))
}

// Probe is one line of the checklist.
type Probe struct {
	ID    string // such as LK8; ids never change
	Title string // what it proves
	Why   string // what an attacker or an operator gains when it does not hold
	Fix   string // what to change when it fails
	Guide string // line of the published guides (docs/published-guides.md): production-guide:148; "–" = none
	Class Class
	Waits bool // it sleeps for minutes, so it runs beside the others
	Alone bool // it loads the target, or listens closely: it runs when all others have ended
	run   func(t *T)
}

// Finding is what a probe found.
type Finding struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Guide      string     `json:"guide"`
	Class      Class      `json:"class"`
	Status     Status     `json:"status"`
	Reason     string     `json:"reason,omitempty"`  // of Skip: why; of Fail: what was found, one line each
	NotRun     bool       `json:"not_run,omitempty"` // it was to run, and the audit ended before: interrupted, or the API stopped answering
	Follows    string     `json:"follows,omitempty"` // id of the finding that it only repeats
	Notes      []string   `json:"notes,omitempty"`   // what a reader should know, as "short clock"
	Began      time.Time  `json:"began"`
	Took       Millis     `json:"took_ms"`
	Checks     int        `json:"checks"`          // assertions made
	Basis      *Basis     `json:"basis,omitempty"` // what it rests on; nil = it was not asked
	Severity   Severity   `json:"severity,omitempty"`
	CWE        []int      `json:"cwe,omitempty"`
	ASVS       []string   `json:"asvs,omitempty"`     // as v5.0.0-6.3.1
	Evidence   []Piece    `json:"evidence,omitempty"` // of each of those
	Transcript []Exchange `json:"transcript,omitempty"`
	Omitted    int        `json:"omitted,omitempty"` // exchanges beyond what a transcript keeps
	unfit      bool       // its subject is none of the target's: the limit has no lock, say
	cause      string     // of its first failure: the operation whose limit was not kept
	causes     []string   // of all of them
}

// Millis is a duration that documents hold in milliseconds.
type Millis time.Duration

// MarshalJSON writes milliseconds with three decimals.
func (m Millis) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", float64(m)/float64(time.Millisecond)), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Millis) UnmarshalJSON(text []byte) error {
	d, err := time.ParseDuration(string(text) + "ms")
	*m = Millis(d)
	return err
}

// String is the duration as people read it.
func (m Millis) String() string { return time.Duration(m).Round(time.Millisecond).String() }

// Report is a whole audit, as documents hold it.
type Report struct {
	Target     string                 `json:"target"`
	Profile    string                 `json:"profile"`
	ShortClock bool                   `json:"short_clock,omitempty"` // locks and windows were shortened: 900 s is not what was verified
	Partial    bool                   `json:"partial,omitempty"`     // interrupted: the rest is skipped
	Stopped    string                 `json:"stopped,omitempty"`     // the probe during which the target stopped answering: the rest is skipped
	Findings   []Finding              `json:"findings"`
	Violations []limitcheck.Violation `json:"violations,omitempty"` // of J1–J7
	Events     int64                  `json:"events"`               // answers the checker of limits saw
	Counts     Counts                 `json:"counts"`
	Standards  []Proved               `json:"standards,omitempty"` // those that were asked for by name and have a list
}

// Counts are the findings by status.
type Counts struct {
	Pass   int `json:"pass"`
	Fail   int `json:"fail"`
	Advice int `json:"advice,omitempty"`
	Skip   int `json:"skip"`

	NotRun   int `json:"not_run,omitempty"`   // of Skip: what the end of the audit came before
	NotAsked int `json:"not_asked,omitempty"` // what nobody promised
}

// count fills the counts; a broken invariant of the limits is a FAIL.
func (r *Report) count() {
	r.Counts = Counts{}
	for _, f := range r.Findings {
		switch f.Status {
		case Pass:
			r.Counts.Pass++
		case Fail:
			r.Counts.Fail++
		case Advice:
			r.Counts.Advice++
		case NotAsked:
			r.Counts.NotAsked++
		default:
			r.Counts.Skip++
		}
		if f.NotRun {
			r.Counts.NotRun++
		}
	}
}

// Unrun are the probes that the end of the audit came before, and why it came.
func (r *Report) Unrun() (ids []string, why string) {
	for _, f := range r.Findings {
		if f.NotRun {
			ids, why = append(ids, f.ID), f.Reason
		}
	}
	return ids, why
}
