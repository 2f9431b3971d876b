// Package baseline keeps what runs measured so that a later version can be
// compared with it honestly: a file with the histograms themselves, a
// fingerprint of what they were taken on, and a comparison that refuses
// rather than sets two numbers side by side that mean different things.
package baseline

import (
	"time"

	"vitals/internal/baseline/stats"
	"vitals/internal/measure"
)

// Schema is the form of the file. Another major form is not comparable; fields
// that a later minor form adds are kept.
const Schema = "vitals.baseline/1"

// File is one session: the runs one job made of one or two builds. Durations
// are whole microseconds, shares are fractions, a figure that was not measured
// is absent.
type File struct {
	Schema    string             `json:"schema"`
	Subject   Subject            `json:"subject"`
	Hashes    Hashes             `json:"hashes"`
	Env       Env                `json:"env"`
	Design    Design             `json:"design"`
	Session   Session            `json:"session"`
	Scenarios []Scenario         `json:"scenarios"`
	Summary   map[string]Summary `json:"summary"` // "normal p95" → over the valid runs; derived, checked on reading

	raw []byte // as read, so that unknown fields are written back
}

// Subject is the version that was measured.
type Subject struct {
	GitRev      string `json:"git_rev,omitempty"`
	Dirty       bool   `json:"dirty,omitempty"`
	Ref         string `json:"ref,omitempty"`
	BuildID     string `json:"build_id,omitempty"`
	Binary      string `json:"binary_sha256,omitempty"`
	Image       string `json:"image_digest,omitempty"`
	StartSHA256 string `json:"start_cmd_sha256,omitempty"`
}

// Hashes are sha256 sums over canonical forms. Targets are named, but do not
// decide whether two files compare.
type Hashes struct {
	Targets string `json:"targets,omitempty"`
	Dataset string `json:"dataset,omitempty"`
}

// Env is what the runs were taken on. Hard fields must agree, soft ones only
// explain.
type Env struct {
	Class string         `json:"class"` // Class(Hard)
	Hard  map[string]any `json:"hard"`  // cpu_model, vcpu, arch, mem_gib, cpu_quota, virt, kernel_mm, sut_limits, db_digest, generator_placement, tool_major…
	Soft  map[string]any `json:"soft,omitempty"`
}

// The modes of a design.
const (
	ModeSolo = "solo" // runs of one build
	ModeDuet = "duet" // one arm of interleaved pairs; both arms carry one session's ID
)

// Design is how the runs were ordered.
type Design struct {
	Mode    string  `json:"mode"` // ModeSolo or ModeDuet
	Order   string  `json:"order,omitempty"`
	Planned int     `json:"k_planned"`
	Warmup  int64   `json:"warmup_us"`
	Measure int64   `json:"measure_us"`
	Slice   int64   `json:"slice_us"`
	Looks   []int   `json:"looks,omitempty"`
	Alpha   float64 `json:"alpha_look,omitempty"`
	Seed    uint64  `json:"seed"`
	Ended   string  `json:"ended,omitempty"` // why the session did not go to its end; the runs that did are in the file
	Gate    *Gate   `json:"gate,omitempty"`  // of a duet: what its machine was known to see
}

// Gate is what a duet knew of its machine, so that its files are judged later as it
// judged them itself.
type Gate struct {
	Unfit    string                  `json:"unfit,omitempty"`    // why it may not fail a build
	Ended    string                  `json:"ended,omitempty"`    // why it ended without an answer
	Smallest map[string]float64      `json:"smallest,omitempty"` // "normal p95" → the smallest change that may be called worse
	Prior    map[string]*stats.Prior `json:"prior,omitempty"`    // "normal p95" → earlier pairs of one build with itself
}

// Session is the job that made the file.
type Session struct {
	ID      string    `json:"id"`
	JobURL  string    `json:"job_url,omitempty"`
	Note    string    `json:"note,omitempty"`  // in the words of whoever ran it
	Flags   []string  `json:"flags,omitempty"` // that a command needs to run the same: --profile, p.yaml…
	Started time.Time `json:"started"`
	Canary  []Canary  `json:"canary,omitempty"`
}

// Canary is the time of a fixed piece of work (64 KiB of SHA-256), a probe of the
// machine itself: it explains, and judges nothing.
type Canary struct {
	At        time.Time `json:"at"`
	NSPerUnit float64   `json:"ns_per_unit"`
}

// Scenario is one scenario's runs.
type Scenario struct {
	Name      string `json:"name"`
	Named     string `json:"named,omitempty"` // how a command names it: a built-in name, or a file
	Model     string `json:"model,omitempty"` // users (closed) or arrivals (open)
	Config    string `json:"config_hash"`     // of the scenario's canonical form
	LoadModel string `json:"load_model_hash"` // of the curve, the pace and the model
	Runs      []Run  `json:"runs"`
}

// Run is one fresh start, warm-up and measured window: the replicate of every
// statistic.
type Run struct {
	ID        string    `json:"run_id"`
	Arm       string    `json:"arm"` // A, or B in a duet
	Pair      int       `json:"pair"`
	Slot      int       `json:"slot"`
	Started   time.Time `json:"started"`
	Window    int64     `json:"window_us"`
	Valid     bool      `json:"valid"`
	Invalid   string    `json:"invalid_reason,omitempty"`
	Unsteady  string    `json:"unsteady,omitempty"` // why the window seems to hold some of the warm-up
	Offered   int64     `json:"offered"`            // due by the schedule
	Sent      int64     `json:"started_n"`          // handed to the wire
	Completed int64     `json:"completed"`          // answered, as expected or not
	Dropped   int64     `json:"dropped"`
	Achieved  float64   `json:"achieved_ratio"`
	LagP99    int64     `json:"sched_lag_p99_us"`
	GenCPU    float64   `json:"gen_cpu"`
	Steal     float64   `json:"host_steal"`
	Clamped   int64     `json:"clamped"`

	Endpoints []Endpoint `json:"endpoints"`
	Slices    []Slice    `json:"slices,omitempty"`
	SUT       SUT        `json:"sut"`

	Profile *measure.CPUProfile `json:"cpu_profile,omitempty"` // the run was profiled meanwhile, which marks it and leaves it valid
}

// SUT is what the system under test itself spent. A nil figure was not
// measured.
type SUT struct {
	CPUPerReq *float64 `json:"cpu_us_per_req,omitempty"`
	CPU       *float64 `json:"cpu_util,omitempty"`
	RSSMax    *float64 `json:"rss_max,omitempty"`
	GCCPU     *float64 `json:"gc_cpu,omitempty"`
	Restarts  *float64 `json:"restarts,omitempty"`
}

// Summary is a metric over the valid runs of a scenario, on the log scale that
// the statistics use.
type Summary struct {
	K      int     `json:"k"`
	MeanLn float64 `json:"mean_ln"`
	SdLn   float64 `json:"sd_ln"` // 0 of a single run
}
