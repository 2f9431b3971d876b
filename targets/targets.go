// Package targets is what is good enough: sentences such as "p95 < 300ms",
// parsed with their positions, and the verdicts a result gets against them.
// No data is never a pass.
package targets

import (
	"fmt"
	"time"
)

// Status of one target. The zero value is NoData: silence never passes.
type Status uint8

// The statuses.
const (
	NoData Status = iota
	Pass
	Fail
)

var statusNames = [...]string{NoData: "NO DATA", Pass: "PASS", Fail: "FAIL"}

// String is the word the reports print.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText writes the word, so that a document can be read by people.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word back; any other is an error.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if name == string(text) {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("unknown status %q", text)
}

// Target is one sentence, parsed. Limit is in the metric's base unit:
// nanoseconds for times, a fraction for shares (0.1 % = 0.001), else a number.
type Target struct {
	Metric string        `json:"metric"`           // "p95", "rps", "errors", "cpu", "lockout.admitted"…
	Step   string        `json:"step,omitempty"`   // p95(create medication): the step's name; "" = all honest steps
	Op     string        `json:"op"`               // < <= > >= == !=
	Limit  float64       `json:"limit"`            // in the metric's base unit
	During string        `json:"during,omitempty"` // the phase it is asked of; "" = the judged phases
	For    time.Duration `json:"for_ns,omitempty"` // windowed: must hold this long (abort rules)
	Text   string        `json:"text"`             // the sentence as written
	Only   []string      `json:"only,omitempty"`   // scenarios it is asked of; none = every one
	Except []string      `json:"except,omitempty"` // scenarios it is not asked of
	File   string        `json:"file,omitempty"`
	Line   int           `json:"line,omitempty"`
	Col    int           `json:"col,omitempty"`
}

// Unit is what Limit and a verdict's Got are counted in.
func (t Target) Unit() Unit { return metrics[t.Metric].unit }

// Verdict is one target held against one result.
type Verdict struct {
	Target Target  `json:"target"`
	Status Status  `json:"status"`
	Got    float64 `json:"got"`            // in the target's base unit; meaningless for NoData
	N      int64   `json:"n,omitempty"`    // observations behind Got
	Note   string  `json:"note,omitempty"` // why there is no data, or how it was measured
}

// String is the verdict in one line: "PASS p95 < 300ms (got 148ms, n 27410)".
func (v Verdict) String() string {
	switch {
	case v.Status == NoData:
		return fmt.Sprintf("%s %s (%s)", v.Status, v.Target.Text, v.Note)
	case v.N > 0:
		return fmt.Sprintf("%s %s (got %s, n %d)", v.Status, v.Target.Text, v.Target.Unit().Format(v.Got), v.N)
	}
	return fmt.Sprintf("%s %s (got %s)", v.Status, v.Target.Text, v.Target.Unit().Format(v.Got))
}
