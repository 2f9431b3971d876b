// Package scenarios is what load, for how long, by which journeys: the types,
// the strict YAML reader that reports every mistake at once with its place and
// the nearest right spelling, and the schedule's integer arithmetic. It
// describes; load acts. Every field of a file stands in reference.yaml.
package scenarios

import (
	"slices"
	"time"

	"vitals/targets"
)

// Scenario is one file. Every name in it is unique within its kind.
type Scenario struct {
	Name     string
	About    string
	Load     Load // full pace
	Quick    Load // --pace quick; equal to Load where the file has no quick part
	Accounts Accounts
	Journeys []Journey
	Intruder []Intruder
	Targets  []targets.Target // the scenario's own, beside those of --targets
	Abort    []targets.Target // windowed: "p95 > 1s for 10s" ends the run
	Timeout  time.Duration    // per request, default 10s
	File     string           `json:"-"`
	SHA256   string           `json:"-"` // of the canonical form, so that a comment does not change it
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
	Model   Model
	Stages  []Stage
	Poisson bool          // arrivals with exponential gaps instead of even ones
	Grid    time.Duration // arrivals rounded up to this grid; 0 = exact
	Workers int           // cap on requests in flight (arrivals); 0 = the engine's default
	MaxLate time.Duration // arrivals later than this are dropped and counted; 0 = never
	Share   int           // users per signed-in account (quick pace); 0 = 1
	SignIn  SignIn
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
	Name   string // phase name: "ramp", "hold", "spike"…
	From   float64
	To     float64
	For    time.Duration
	Judged bool
}

// Accounts says how users sign in, and how often one account is used before the
// next takes its place, so that production limits are met, not raised.
type Accounts struct {
	SignIn   Step
	SignOut  *Step
	Refresh  *Step
	Requests int // per account and hour, 0 = no bound
}

// Journey is what one virtual user does: draws tasks by weight, thinks between.
type Journey struct {
	Name   string
	Weight int
	Think  Range
	Tasks  []Task
	Feed   *Feed
}

// Range is a time drawn evenly between its ends.
type Range struct{ From, To time.Duration }

// Task is steps in order. It can be drawn when every {{name}} in its first
// step is known.
type Task struct {
	Name   string
	Weight int
	Think  Range // after it; zero = the journey's
	Steps  []Step
}

// Step is one request with its expectation. {{name}} in Path, Header and Body
// stands for an account field (email, password), a saved value, a fed column,
// or a generator: {{uuid}}, {{seq}}, {{now}}, {{now+24h}}, {{today}}, {{int 1 10}}, {{pick a|b}}.
// What the sign-in saves as token is sent as the bearer token of every step that
// is not anonymous; what it saves as expires_in says in seconds how long.
type Step struct {
	Name      string
	Method    string
	Path      string
	Header    map[string]string
	Body      string // JSON text or any other
	Anonymous bool   // sent without the account's token
	Expect    Expect
	Save      map[string]string // name → "json:items.0.id", "header:Location", "regexp:…"
	Forget    []string          // saved names that are used up by this step
	Timeout   time.Duration     // 0 = the scenario's
	Line, Col int               `json:"-"`
}

// Expect is what a good answer is. An empty one expects any 2xx.
type Expect struct {
	Status []int
	Header map[string]string // name → exact value, or "" for present
	JSON   map[string]string // path → exact value, or "" for present
	Body   string            // text the body contains
}

// Intruder is a hostile actor that works beside the honest users. Which fields
// its kind knows stands in kinds; those it does not know are zero, and stay out
// of the digest.
type Intruder struct {
	Name        string
	Kind        string        // one of the constants below
	Addresses   int           // client addresses it comes from
	Guesses     int           // per address; the production limit judges 5, the next is locked. 0 = no bound (spray passwords)
	AtOnce      bool          // released at one barrier instead of one after the other
	After       time.Duration // offset from the start of the run, or of each phase it works in
	Every       time.Duration // between two tries of one address, or two bytes of one connection
	For         time.Duration `json:",omitempty"` // how long it begins anything new; 0 = until it is through, or the load ends
	During      string        `json:",omitempty"` // the phases it works in; "" = all
	Rate        float64       `json:",omitempty"` // guesses a second of all addresses together
	Accounts    int           `json:",omitempty"` // real accounts that it sprays
	Strangers   int           `json:",omitempty"` // and guesses at accounts that nobody has, for each at a real one
	Rounds      int           `json:",omitempty"` // of sign-in, theft and sign-out, per address
	Connections int           `json:",omitempty"` // open side by side
	Bodies      int           `json:",omitempty"` // per address
	File        string        `json:"-"`
	Line, Col   int           `json:"-"`
}

// The kinds of intruders.
const (
	GuessPasswords = "guess passwords" // from one address, until the lock and beyond
	SprayPasswords = "spray passwords" // from many, at a rate
	SpoofHeaders   = "spoof headers"   // guess passwords with another forged address each time
	GuessCodes     = "guess codes"     // of a second factor
	ReuseTokens    = "reuse tokens"    // that were used before, or signed out
	DribbleHeaders = "dribble headers" // and bodies: connections that never get to the point
	OversizeBodies = "oversize bodies" // with a request hidden where the limit cuts
)

// Feed gives journeys rows from a CSV or JSON file.
type Feed struct {
	File   string
	Order  string // "round" or "random" (from the seed)
	Rows   []map[string]string
	Column []string
}
