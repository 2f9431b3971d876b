// Package fleet spreads one run over several machines: the plan that all of them
// share, what each of them leaves, and the sum of it. It runs no machines itself:
// an engine that exists (a Kubernetes Indexed Job, ssh, child processes) starts
// N times the same command, and the union of what the N members send is exactly
// what one machine would have sent.
package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vitals/targets"
)

// Exit codes of a member, for the engine that runs it: a Job's podFailurePolicy
// tells them apart. Nothing but 0 leaves a result that counts.
const (
	ExitAborted = 13 // told to stop, or the controller's lease ran out
	ExitFenced  = 14 // another incarnation holds this index, or the start has passed
	ExitBarrier = 15 // not everybody was ready in time
	ExitRefused = 16 // plan, version, clock or target do not fit
)

// Member is one of N: index counts from 0.
type Member struct{ Index, Of int }

// ParseMember reads "i/N" with i from 0 to N-1, as in 0/4.
func ParseMember(text string) (Member, error) {
	i, n, ok := strings.Cut(text, "/")
	m := Member{}
	var err1, err2 error
	m.Index, err1 = strconv.Atoi(i)
	m.Of, err2 = strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || m.Of < 1 || m.Index < 0 || m.Index >= m.Of {
		return Member{}, fmt.Errorf("member %q: want I/N with I from 0 to N-1, as in 0/4", text)
	}
	return m, nil
}

func (m Member) String() string { return fmt.Sprintf("%d/%d", m.Index, m.Of) }

// Plan is what all members of a run must agree on. Its ID is the digest of all
// of it: members with another plan are refused.
type Plan struct {
	Version   string           `json:"version"`  // of vitals: another one may schedule otherwise
	Geometry  string           `json:"geometry"` // of the histograms
	Scenarios []Scenario       `json:"scenarios"`
	Pace      string           `json:"pace"`
	Seed      uint64           `json:"seed"`
	Members   int              `json:"members"`
	Profile   string           `json:"profile,omitempty"` // digest of the profile, "" = none
	Targets   []targets.Target `json:"targets"`
	URL       string           `json:"url"` // of the system under test
}

// Scenario is one of the plan, by name and digest.
type Scenario struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// ID is the SHA-256 of the plan's JSON, in hex.
func (p Plan) ID() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Info is what a member's document says of its place in the run.
type Info struct {
	Plan        Plan      `json:"plan"`
	ID          string    `json:"plan_id"`
	Index       int       `json:"index"`
	Incarnation string    `json:"incarnation"` // random: two processes of one index are told apart
	Host        string    `json:"host"`
	StartAt     time.Time `json:"start_at,omitzero"` // the common instant; zero = started by itself
	LateUS      int64     `json:"late_us"`           // how long after it this member began
}

// Workers is how many members a rate needs, each loaded to at most 60 % of what
// one of them can send (fleet plan --workers auto). Both are requests per second.
func Workers(rate, capacity float64) (int, error) {
	if rate <= 0 || capacity <= 0 {
		return 0, fmt.Errorf("workers for %.0f requests/s at a capacity of %.0f requests/s: both must be above 0", rate, capacity)
	}
	n := int(rate / (share * capacity))
	if float64(n)*share*capacity < rate {
		n++
	}
	return n, nil
}

// share is how much of a generator's highest rate it can be trusted with: past
// it the schedule lag grows, and the run would measure us.
const share = 0.6

// Seen is one member as the merged document shows it: a merged histogram would
// hide the one that differs from all others.
type Seen struct {
	Index    int     `json:"index"`
	Host     string  `json:"host"`
	Planned  int64   `json:"planned"`
	Sent     int64   `json:"sent"`
	P50US    int64   `json:"p50_us"` // of its own served responses
	P95US    int64   `json:"p95_us"`
	Errors   float64 `json:"errors"`     // share of its requests, 0..1
	LagP99US int64   `json:"lag_p99_us"` // of its own lateness
	CPU      float64 `json:"cpu"`        // its own share of its machine, 0..1
	LateUS   int64   `json:"late_us"`    // began so long after the common start
	Differs  string  `json:"differs,omitempty"`
}
