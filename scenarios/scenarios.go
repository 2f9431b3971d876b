// Package scenarios is what load, for how long, by which journeys: the types,
// the strict YAML reader that reports every mistake at once with its place and
// the nearest right spelling, and the schedule's integer arithmetic. It
// describes; load acts. Every field of a file stands in reference.yaml.
package scenarios

import (
	"slices"
	"time"

	"vitals/internal/strict"
	"vitals/targets"
)

// Scenario is one file. Every name in it is unique within its kind. The tags of
// the fields here and below are the names of the canonical document that SHA256 is
// of: they stay when a Go name changes.
type Scenario struct {
	Name     string           `json:"name,omitzero"`
	About    string           `json:"about,omitzero"`
	Load     Load             `json:"load,omitzero"`  // full pace
	Quick    Load             `json:"quick,omitzero"` // --pace quick; equal to Load where the file has no quick part
	Accounts Accounts         `json:"accounts,omitzero"`
	Journeys []Journey        `json:"journeys,omitempty"`
	Intruder []Intruder       `json:"intruders,omitempty"`
	Targets  []targets.Target `json:"targets,omitempty"` // the scenario's own, beside those of --targets
	Abort    []targets.Target `json:"abort,omitempty"`   // windowed: "p95 > 1s for 10s" ends the run
	Cookies  bool             `json:"cookies,omitzero"`  // every user keeps the cookies it is given
	Timeout  time.Duration    `json:"timeout,omitzero"`  // per request, default 10s
	File     string           `json:"-"`
	SHA256   string           `json:"-"` // of the canonical form, so that a comment does not change it
	Warnings strict.Errors    `json:"-"` // what was read as it was meant, and has another name now
}

// At is the load of a pace: "quick", or full for any other word.
func (s *Scenario) At(pace string) Load {
	if pace == "quick" {
		return s.Quick
	}
	return s.Load
}

// Scope is what a target may name of the scenario.
func (s *Scenario) Scope() targets.Scope {
	scope := targets.Scope{Scenario: s.Name}
	for _, step := range s.steps() {
		scope.Steps = append(scope.Steps, step.Name)
	}
	for _, l := range []Load{s.Load, s.Quick} {
		for _, name := range l.names() {
			if !slices.Contains(scope.Phases, name) {
				scope.Phases = append(scope.Phases, name)
			}
		}
	}
	return scope
}

// steps are all of honest users: those of the accounts, then every journey's.
func (s *Scenario) steps() (all []*Step) {
	if s.Accounts.SignIn.Path != "" {
		all = append(all, &s.Accounts.SignIn)
	}
	for _, step := range []*Step{s.Accounts.SignOut, s.Accounts.Refresh} {
		if step != nil {
			all = append(all, step)
		}
	}
	for i := range s.Journeys {
		for k := range s.Journeys[i].Tasks {
			t := &s.Journeys[i].Tasks[k]
			for n := range t.Steps {
				all = append(all, &t.Steps[n])
			}
		}
	}
	return all
}

// Model of load.
type Model string

// Users is the closed model (virtual users who wait and think), Arrivals the
// open one (requests that come whether or not the last were answered).
const (
	Users    Model = "users"
	Arrivals Model = "arrivals"
)

// Load is a curve of stages. For Users the levels are users, for Arrivals
// journeys started per second.
type Load struct {
	Model   Model         `json:"model,omitzero"`
	Stages  []Stage       `json:"stages,omitempty"`
	Poisson bool          `json:"poisson,omitzero"`  // arrivals with exponential gaps instead of even ones
	Grid    time.Duration `json:"grid,omitzero"`     // arrivals rounded up to this grid; 0 = exact
	Workers int           `json:"workers,omitzero"`  // cap on requests in flight (arrivals); 0 = the engine's default
	MaxLate time.Duration `json:"max_late,omitzero"` // arrivals later than this are dropped and counted; 0 = never
	Share   int           `json:"share,omitzero"`    // users per signed-in account (quick pace); 0 = 1
	SignIn  SignIn        `json:"sign_in,omitzero"`
}

// SignIn says when users sign in.
type SignIn string

// Inside: as users do, inside the load (full pace). Before: all are signed in
// before the measured window (quick pace).
const (
	Inside SignIn = "inside"
	Before SignIn = "before"
)

// Stage goes from one level to the next in a straight line. From == To holds.
type Stage struct {
	Name   string        `json:"name,omitzero"` // phase name: "ramp", "hold", "spike"…
	From   float64       `json:"from,omitzero"`
	To     float64       `json:"to,omitzero"`
	For    time.Duration `json:"for,omitzero"`
	Judged bool          `json:"judged,omitzero"`
}

// Accounts says how users sign in, and how often one account is used before the
// next takes its place, so that production limits are met, not raised.
type Accounts struct {
	SignIn   Step  `json:"sign_in,omitzero"`
	SignOut  *Step `json:"sign_out,omitempty"`
	Refresh  *Step `json:"refresh,omitempty"`
	Requests int   `json:"requests_each,omitzero"` // per account and hour, 0 = no bound
}

// Journey is what one virtual user does: draws tasks by weight, thinks between.
type Journey struct {
	Name   string `json:"name,omitzero"`
	Weight int    `json:"weight,omitzero"`
	Think  Range  `json:"think,omitzero"`
	Tasks  []Task `json:"tasks,omitempty"`
	Feed   *Feed  `json:"feed,omitempty"`
}

// Range is a time drawn evenly between its ends.
type Range struct {
	From time.Duration `json:"from,omitzero"`
	To   time.Duration `json:"to,omitzero"`
}

// Task is steps in order. It can be drawn when every {{name}} in its first
// step is known.
type Task struct {
	Name   string `json:"name,omitzero"`
	Weight int    `json:"weight,omitzero"`
	Think  Range  `json:"think,omitzero"` // after it; zero = the journey's
	Steps  []Step `json:"steps,omitempty"`
}

// Step is one request with its expectation. {{name}} in Path, Header and Body
// stands for an account field (email, password), a saved value, a fed column,
// or a generator: {{uuid}}, {{seq}}, {{now}}, {{now+24h}}, {{today}}, {{int 1 10}}, {{pick a|b}}.
// What the sign-in saves as token is sent as the bearer token of every step that
// is not anonymous; what it saves as expires_in says in seconds how long.
type Step struct {
	Name      string            `json:"name,omitzero"`
	Method    string            `json:"method,omitzero"`
	Path      string            `json:"path,omitzero"`
	Follow    string            `json:"follow,omitzero"` // header of the answer before it whose address it gets, instead of Path
	Header    map[string]string `json:"header,omitempty"`
	Body      string            `json:"body,omitzero"`      // JSON text or any other
	Binary    []byte            `json:"-"`                  // sent instead of Body, which says it in base64; no file of ours has it
	Anonymous bool              `json:"anonymous,omitzero"` // sent without the account's token
	Expect    Expect            `json:"expect,omitzero"`
	Save      map[string]string `json:"save,omitempty"`   // name → "json:items.0.id", "header:Location", "cookie:sid", "regexp:…"
	Forget    []string          `json:"forget,omitempty"` // saved names that are used up by this step
	Timeout   time.Duration     `json:"timeout,omitzero"` // 0 = the scenario's
	Line, Col int               `json:"-"`
}

// Expect is what a good answer is. An empty one expects any 2xx.
type Expect struct {
	Status []int              `json:"status,omitempty"`
	Header map[string]*string `json:"header,omitempty"` // name → exact value, or nil for present
	JSON   map[string]*string `json:"json,omitempty"`   // path → exact value, or nil for present; a text that would be another value in JSON is in JSON's quotes
	Body   string             `json:"body,omitzero"`    // text the body contains
	Max    time.Duration      `json:"max,omitzero"`     // response time; 0 = any
}

// Intruder is a hostile actor that works beside the honest users. Which fields
// its kind knows stands in kinds; those it does not know are zero, and stay out
// of the digest.
type Intruder struct {
	Name            string        `json:"name,omitzero"`
	Kind            string        `json:"kind,omitzero"`             // one of the constants below
	Addresses       int           `json:"addresses,omitzero"`        // client addresses it comes from
	Guesses         int           `json:"guesses,omitzero"`          // per address, and more where the promised lock comes later. 0 = no bound (password spraying)
	AtOnce          bool          `json:"at_once,omitzero"`          // released at one barrier instead of one after the other
	After           time.Duration `json:"after,omitzero"`            // offset from the start of the run, or of each phase it works in
	Every           time.Duration `json:"every,omitzero"`            // between two tries of one address, or two bytes of one connection
	For             time.Duration `json:"for,omitzero"`              // how long it begins anything new; 0 = until it is through, or the load ends
	During          string        `json:"during,omitzero"`           // the phases it works in; "" = all
	Rate            float64       `json:"rate,omitzero"`             // guesses a second of all addresses together
	Accounts        int           `json:"accounts,omitzero"`         // real accounts that it sprays
	UnknownAccounts int           `json:"unknown_accounts,omitzero"` // and guesses at accounts that nobody has, for each at a real one
	Rounds          int           `json:"rounds,omitzero"`           // of sign-in, theft and sign-out, per address
	Connections     int           `json:"connections,omitzero"`      // open side by side
	Bodies          int           `json:"bodies,omitzero"`           // per address
	Wrong           []int         `json:"wrong,omitempty"`           // statuses of a wrong credential; empty = the profile's, else 401
	Locked          []int         `json:"locked,omitempty"`          // statuses of a refusal by a limit; empty = the profile's, else 429
	File            string        `json:"-"`
	Line, Col       int           `json:"-"`
}

// The kinds of intruders.
const (
	PasswordGuessing = "password guessing" // from one address, until the lock and beyond
	PasswordSpraying = "password spraying" // from many, at a rate
	HeaderSpoofing   = "header spoofing"   // guessing with another forged address each time
	CodeGuessing     = "code guessing"     // of a second factor
	TokenReplay      = "token replay"      // of tokens that were used before, or signed out
	Slowloris        = "slowloris"         // headers and bodies that come a byte at a time
	OversizedBody    = "oversized body"    // with a request hidden where the limit cuts
)

// Feed gives journeys rows from a CSV or JSON file.
type Feed struct {
	File   string              `json:"file,omitzero"`
	Order  string              `json:"order,omitzero"` // "round" or "random" (from the seed)
	Rows   []map[string]string `json:"rows,omitempty"`
	Column []string            `json:"columns,omitempty"`
}
