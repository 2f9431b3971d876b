// Package report is the document of a session and the forms it is shown in. A
// run is a file first and a picture later: every reporter starts from the
// document alone.
package report

import (
	"io"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/fleet"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/targets"
)

// Schema is the version of the document's form.
const Schema = 2

// The verdicts of a run and of a document (product).
const (
	Pass    = "PASS"
	Fail    = "FAIL"    // a target missed, or a control that leaked
	Invalid = "INVALID" // we measured ourselves, or not one system that was ours alone
	NoData  = "NO DATA"

	Inconclusive = "INCONCLUSIVE" // of two builds that were compared: undecided
)

// Document is everything of one session in one versioned JSON.
type Document struct {
	Schema     int       `json:"schema"`
	Tool       string    `json:"tool"` // "vitals VERSION"
	Created    time.Time `json:"created"`
	Command    []string  `json:"command"`        // as given, without secrets: flags never carry any
	Note       string    `json:"note,omitempty"` // of the user
	Stack      Stack     `json:"stack"`
	Machine    Machine   `json:"machine"`
	Subject    Subject   `json:"subject"`
	Limits     []Limit   `json:"limits"`               // in force in the system under test
	Deviations []string  `json:"deviations,omitempty"` // from the production limits; a banner in every report
	Runs       []Run     `json:"runs"`

	Canary []baseline.Canary `json:"canary,omitempty"` // how fast the machine itself was, before the first run and after each

	Member  *fleet.Info  `json:"member,omitempty"`  // this is one member's share of a run: it is judged when all are merged
	Members []fleet.Seen `json:"members,omitempty"` // whose shares were merged into this

	Comparison *baseline.Comparison `json:"comparison,omitempty"` // with an earlier baseline, when one was given
	History    *History             `json:"history,omitempty"`    // of such sessions, when one was given

	Verdict string   `json:"verdict"` // PASS FAIL INVALID NO DATA
	Reasons []string `json:"reasons,omitempty"`
	Exit    int      `json:"exit"`
	Repeat  int      `json:"repeat,omitempty"` // runs of every scenario that were asked for, of more than one
	Partial bool     `json:"partial,omitempty"`
}

// Run is one scenario's result and what was judged of it.
type Run struct {
	Result         *measure.Result         `json:"result"`
	Verdicts       []targets.Verdict       `json:"verdicts"`
	Verdict        string                  `json:"verdict"`
	Reasons        []string                `json:"reasons,omitempty"` // for the verdict, the weightiest first
	Earlier        []Try                   `json:"earlier,omitempty"` // tries before this one, which do not count
	Evidence       []Evidence              `json:"evidence,omitempty"`
	Faults         []Fault                 `json:"faults,omitempty"`         // what was done to the stack meanwhile
	Invariants     *Invariants             `json:"invariants,omitempty"`     // whether the limits' invariants held over every answer
	Reconciliation *observe.Reconciliation `json:"reconciliation,omitempty"` // our counts beside the server's own
}

// Try is a run of a scenario that was invalid by the machine or the generator, and was
// followed by another that counts.
type Try struct {
	Began   time.Time      `json:"began"`
	Took    measure.Micros `json:"took_us"`
	Verdict string         `json:"verdict"`
	Reasons []string       `json:"reasons"`
}

// Evidence is a figure read from the system under test itself: pool and Redis
// metrics, rows in the tables.
type Evidence struct {
	Name   string  `json:"name"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// Stack says where the system under test came from.
type Stack struct {
	Kind   string            `json:"kind"` // embedded, containers, url
	URL    string            `json:"url"`
	Images map[string]string `json:"images,omitempty"` // role → image and digest
	Info   map[string]string `json:"info,omitempty"`   // versions, database, how client addresses reach it
}

// Machine is what the run was taken on; a comparison asks for the same.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	MemMiB int64  `json:"mem_mib"`
	Go     string `json:"go"`
	Class  string `json:"class"` // first 12 hex digits of the sha256 of the fields that must agree
}

// Subject is the version under test.
type Subject struct {
	GitRev  string `json:"git_rev,omitempty"`
	Dirty   bool   `json:"dirty,omitempty"`
	SHA256  string `json:"binary_sha256,omitempty"`
	Image   string `json:"image,omitempty"`   // of the API, when it is not made from this program
	Version string `json:"version,omitempty"` // as that image's labels tell
}

// Limit is one limit in force, as the system under test declares it.
type Limit struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Reporter renders a document to w. What cannot be written is an error; the
// document is never changed.
type Reporter func(w io.Writer, d *Document) error
