package measure

import "time"

// Counts are requests, counted once each. Planned = Sent + Dropped + Unsent.
type Counts struct {
	Planned  int64 `json:"planned"`         // due inside the window by the schedule
	Sent     int64 `json:"sent"`            // handed to the wire
	Late     int64 `json:"late"`            // sent later than the engine's bound after the due time
	Dropped  int64 `json:"dropped"`         // given up before sending, and counted
	Unsent   int64 `json:"unsent"`          // still due when the run was stopped
	Served   int64 `json:"served"`          // answered as expected
	Tardy    int64 `json:"tardy,omitempty"` // of those served: after the end of the judged window that they were due in, so that no rate counts them
	Refused  int64 `json:"refused"`         // turned away by a limit, expected or not
	Failed   int64 `json:"failed"`          // no answer, or an unexpected one
	Errors   int64 `json:"errors"`          // not OK: failed, or refused without being expected
	Ours     int64 `json:"ours,omitempty"`  // failed by trouble of our own (Class.Ours): in Failed, never in Errors
	Bytes    int64 `json:"bytes"`           // body bytes read
	Inflight int64 `json:"inflight"`        // live only
}

// Timely is how many were served while the load that they belong to went on.
func (c Counts) Timely() int64 { return c.Served - c.Tardy }

// Judged is how many of the sent requests say something of the system: without those
// that failed by trouble of our own, as when the run was stopped.
func (c Counts) Judged() int64 { return c.Sent - c.Ours }

// StepResult is what one step saw in one phase. Histograms of an outcome that
// did not occur are nil.
type StepResult struct {
	Step     Step             `json:"step"`
	Counts   Counts           `json:"counts"`
	Codes    map[int]int64    `json:"codes,omitempty"`    // status → requests
	Classes  map[string]int64 `json:"classes,omitempty"`  // class name → requests
	Response *Histogram       `json:"response,omitempty"` // served, from the due time
	Service  *Histogram       `json:"service,omitempty"`  // served, from the send
	Refusal  *Histogram       `json:"refusal,omitempty"`  // refused, from the due time
	Failure  *Histogram       `json:"failure,omitempty"`  // failed, from the due time
}

// Unserved are the requests that failed, or were refused though that was not expected of
// them, after the last answer that was served; trouble of our own left out. They are at
// least so many: samples come in the order of their ends within each goroutine alone.
type Unserved struct {
	From    time.Duration `json:"from_us"` // when that answer had come, as an offset from the run's start
	Failed  int64         `json:"failed"`
	Refused int64         `json:"refused,omitempty"`
}

// add follows one sample. Those of several goroutines come nearly in the order in which they ended.
func (u *Unserved) add(s *Sample) {
	switch {
	case s.Done < u.From:
	case s.Outcome == Served, s.Outcome == Refused && s.OK:
		*u = Unserved{From: s.Done}
	case s.Outcome == Refused:
		u.Refused++
	case s.Outcome == Failed && !s.Class.Ours():
		u.Failed++
	}
}

// PhaseResult is a phase with its steps.
type PhaseResult struct {
	Phase
	Steps []StepResult `json:"steps"`
}

// Slice is one interval of the time series, over all honest steps, keyed by due
// time: a late answer lands where it was due.
type Slice struct {
	At      time.Duration      `json:"at_us"` // start, offset from the run's start
	Counts  Counts             `json:"counts"`
	P50     time.Duration      `json:"p50_us"` // of served responses; 0 when none
	P95     time.Duration      `json:"p95_us"`
	P99     time.Duration      `json:"p99_us"`
	Max     time.Duration      `json:"max_us"`
	SentP95 time.Duration      `json:"service_p95_us,omitempty"` // p95 from the send; 0 when none, or not recorded
	StepP95 map[string]int64   `json:"step_p95_us,omitempty"`    // step name → µs
	Gauges  map[string]float64 `json:"gauges,omitempty"`         // what the server felt meanwhile, mean of the readings
	// Until is when the last answer to what was due in it had come, or was given up, as
	// an offset from the run's start; known while the run goes on.
	Until time.Duration `json:"-"`
	// Served are the histograms of served responses by step name, each as
	// Histogram.MarshalText writes it. Only results that are to be merged carry them.
	Served map[string]string `json:"served,omitempty"`
	// Service is the histogram from the send of all of them together.
	Service string `json:"service,omitempty"`
}

// Series is the run in slices of one width. The width doubles when a run grows
// past the recorder's bound, so memory does not grow with the length.
type Series struct {
	Every  time.Duration `json:"every_us"`
	Slices []Slice       `json:"slices"`
}

// Exemplar is one request kept whole for diagnosis: one of the slowest, or one
// of the first of its step and class.
type Exemplar struct {
	Journey   string        `json:"journey,omitempty"`
	Step      string        `json:"step"`
	At        time.Duration `json:"at_us"`       // due time, offset from the run's start
	Response  time.Duration `json:"response_us"` // from the due time
	Service   time.Duration `json:"service_us"`  // from the send
	Code      int           `json:"code"`
	Class     string        `json:"class,omitempty"`
	RequestID string        `json:"request_id,omitempty"`
	TraceID   string        `json:"trace_id,omitempty"`
	TraceURL  string        `json:"trace_url,omitempty"` // where the user's tracing backend shows it
	Why       string        `json:"why,omitempty"`       // what was expected and what came, in words, without secrets
	Body      string        `json:"body,omitempty"`      // the first bytes of an answer that was not as expected, without secrets
}

// Fact is a figure that is not a latency: lockout.admitted, recovery, cpu.
// A fact that could not be measured is absent, never zero.
type Fact struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"` // "" for a number, "%" for a fraction (0.42 is 42 %), "s" for seconds
	N     int64   `json:"n,omitempty"`    // how many observations are behind it
	Note  string  `json:"note,omitempty"` // how it was measured, for the report
}

// The causes that a reason of Health begins with: what kept a run from measuring
// the system, or what the system itself suffered from.
const (
	CauseCPU       = "generator: CPU contention"
	CauseWorkers   = "generator: too few workers"
	CauseGC        = "generator: GC"
	CausePorts     = "generator: ports or descriptors"
	CauseClock     = "generator: clock"
	CauseFault     = "generator: fault of its own"
	CauseUnsent    = "generator: not all was sent"
	CauseDegraded  = "system: degraded"
	CauseAway      = "system: users turned away"
	CauseRestarted = "system: restarted"
)

// Health is the generator's own: numbers past their bound make the run invalid.
type Health struct {
	Lag        *Histogram    `json:"lag,omitempty"` // send time minus due time while a worker was free
	CPU        float64       `json:"cpu"`           // own share of the machine, 0..1
	GCPauseMax time.Duration `json:"gc_pause_max_us"`
	Steal      float64       `json:"steal"`       // stolen share of the machine, 0..1
	CapWait    time.Duration `json:"cap_wait_us"` // time with every worker busy: the server's doing, not ours
	Peak       int           `json:"peak_workers"`
	Invalid    []string      `json:"invalid,omitempty"`     // reasons, in words
	Late       []string      `json:"late,omitempty"`        // those of Invalid that concern times and rates alone: no lateness of ours makes an answer wrong
	Away       []string      `json:"turned_away,omitempty"` // why a relevant part of the plan was not sent that is the system's own doing: it let users not sign in
	Suspect    []string      `json:"suspect,omitempty"`
}

// What of a figure may be the generator's own lateness before the figure is no
// longer the server's: a tenth of it, and as much as any generator costs.
const (
	ownShare = 0.1
	ownLag   = 2 * time.Millisecond
)

// Own is the 99th percentile of the generator's own lateness, and whether it is a
// relevant part of a response time, whatever the target that was asked for.
func (h *Health) Own(figure time.Duration) (lag time.Duration, relevant bool) {
	lag, ok := h.Lag.Quantile(0.99)
	return lag, ok && figure > 0 && lag > max(ownLag, time.Duration(ownShare*float64(figure)))
}

// Ending is what ended a run before its schedule did. The zero value is the
// schedule itself.
type Ending string

// The endings.
const (
	Interrupted Ending = "interrupted" // by the user
	Aborted     Ending = "abort rule"  // of the scenario
	TargetDead  Ending = "target dead" // nobody answered any more
	NoAccount   Ending = "no account"  // left for the next user
	NoSignIn    Ending = "no sign-in"  // before the load, which therefore did not begin
	OtherEnding Ending = "other"       // see Result.EndedEarly
)

// Unbegun tells that the load could not begin: EndedEarly says why, and nothing was
// measured.
func (r *Result) Unbegun() bool { return r.Took == 0 && r.EndedEarly != "" && r.EndedBy != Aborted }

// Result is what one run of one scenario measured.
type Result struct {
	Schema     int           `json:"schema"`
	Scenario   string        `json:"scenario"`
	Named      string        `json:"named,omitempty"` // how the command named it: a built-in name, or a file
	Pace       string        `json:"pace"`            // full or quick
	Model      string        `json:"model"`           // users (closed) or arrivals (open)
	Seed       uint64        `json:"seed"`
	Hash       string        `json:"scenario_sha256"`
	Began      time.Time     `json:"began"`
	Took       time.Duration `json:"took_us"`   // the whole run
	Window     time.Duration `json:"window_us"` // the judged phases together
	Client     string        `json:"client"`    // which transport sent the requests, and why
	Phases     []PhaseResult `json:"phases"`
	Series     Series        `json:"series"`
	Slowest    []Exemplar    `json:"slowest,omitempty"`
	Failures   []Exemplar    `json:"failures,omitempty"`
	Facts      []Fact        `json:"facts,omitempty"`
	Health     Health        `json:"health"`
	CPUProfile *CPUProfile   `json:"cpu_profile,omitempty"` // taken while a target was being lost; nil = none was, or nobody was to ask
	Notes      []string      `json:"notes,omitempty"`       // what a reader must know: shared sessions, forwarded addresses
	NotShown   []string      `json:"not_shown,omitempty"`   // why facts that controls are judged by are absent
	Silent     []string      `json:"silent,omitempty"`      // intruders that showed nothing, by their names; NotShown says why
	Granted    []string      `json:"granted,omitempty"`     // what intruders were granted that nobody may be: fails the run, whatever its targets are
	Partial    bool          `json:"partial,omitempty"`     // ended before its schedule did: what was measured until then
	EndedBy    Ending        `json:"ended_by,omitempty"`    // what ended it then
	Unserved   *Unserved     `json:"unserved,omitempty"`    // how it ended, when requests failed after the last that was served; nil of a merged run
	EndedEarly string        `json:"ended_early,omitempty"` // the same in words, when it was not the user
}
