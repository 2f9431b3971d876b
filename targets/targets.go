// Package targets is what is good enough: sentences such as "p95 < 300ms",
// parsed with their positions, and the verdicts a result gets against them.
// No data is never a pass.
package targets

import (
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

// Target is one sentence, parsed. Limit is in the metric's base unit:
// nanoseconds for times, a fraction for shares (0.1 % = 0.001), else a number.
type Target struct {
	Metric string        `json:"metric"`         // "p95", "rps", "errors", "cpu", "lockout.admitted"…
	Step   string        `json:"step,omitempty"` // p95(create medication): the step's name; "" = all honest steps
	Op     string        `json:"op"`             // < <= > >= == !=
	Limit  float64       `json:"limit"`
	For    time.Duration `json:"for_us,omitempty"` // windowed: must hold this long (abort rules)
	Text   string        `json:"text"`             // the sentence as written
	Only   []string      `json:"only,omitempty"`   // scenarios it is asked of; none = every one
	File   string        `json:"file,omitempty"`
	Line   int           `json:"line,omitempty"`
	Col    int           `json:"col,omitempty"`
}

// Verdict is one target held against one result.
type Verdict struct {
	Target Target  `json:"target"`
	Status Status  `json:"status"`
	Got    float64 `json:"got"`            // in the target's base unit; meaningless for NoData
	N      int64   `json:"n,omitempty"`    // observations behind Got
	Note   string  `json:"note,omitempty"` // why there is no data, or how it was measured
}
