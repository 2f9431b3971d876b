package load

import (
	"maps"
	"slices"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// Steps are the recorder's steps of a scenario, in the order that Run counts
// them: sign in, sign out, refresh (those that the scenario has), then every step
// of every journey. A caller may append its own (intruders).
func Steps(sc *scenarios.Scenario) []measure.Step {
	var list []measure.Step
	for _, s := range accountSteps(sc) {
		list = append(list, measure.Step{Journey: measure.Session, Name: s.Name})
	}
	for _, j := range sc.Journeys {
		for _, t := range j.Tasks {
			for _, s := range t.Steps {
				list = append(list, measure.Step{Journey: j.Name, Name: s.Name})
			}
		}
	}
	return list
}

func accountSteps(sc *scenarios.Scenario) (list []*scenarios.Step) {
	if sc.Accounts.SignIn.Path != "" {
		list = append(list, &sc.Accounts.SignIn)
	}
	for _, s := range []*scenarios.Step{sc.Accounts.SignOut, sc.Accounts.Refresh} {
		if s != nil {
			list = append(list, s)
		}
	}
	return list
}

// plan is a scenario compiled: names are slots, texts are pieces, weights are sums.
type plan struct {
	names    []string // of the variables, by slot
	signIn   *step
	signOut  *step
	refresh  *step
	journeys []journey
	weight   int            // of all journeys
	saved    []int          // slots that journeys fill from answers
	requests int            // per account and hour; 0 = no bound
	secret   []secret       // variables whose values no report may show
	fixed    map[int]string // slots that have one value throughout: {{env NAME}}, and credentials as they are written
	cookies  bool
	// ownTokens says that a journey saves a token of its own: whose it is, is not
	// known.
	ownTokens bool
}

type journey struct {
	name    string
	weight  int
	tasks   []task
	feed    *feed
	signed  bool // a step of it needs an account
	longest int  // steps of its longest task
}

type task struct {
	weight int
	think  scenarios.Range
	steps  []step
	needs  []int // slots of the first step that nothing but an answer can fill
}

type step struct {
	index     int // among the recorder's steps
	name      string
	method    string
	route     string // path as written, without its query
	path      template
	host      template // Host header, when it has placeholders
	hostText  string   // Host header, when it has none; "" = the server's
	lines     template
	body      template
	escape    escape // of the body
	anonymous bool
	signed    bool   // by a header of its own
	cookied   bool   // by a Cookie header of its own
	forwarded bool   // by an X-Forwarded-For header of its own
	traced    bool   // by a traceparent header of its own
	baggage   string // header line; "" = it has one of its own
	unsure    bool   // its token may have ended
	expect    expectation
	captures  []capture
	looks     bool // into the body
	forget    []int
	timeout   time.Duration
	keep      int
}

type feed struct {
	slots  []int
	rows   [][][]byte
	random bool
}

// The names that every plan has. What a sign-in saves as token is sent as the
// bearer token of every step that is not anonymous; expires_in is in seconds.
const (
	nameEmail    = "email"
	namePassword = "password"
	nameToken    = "token"
	nameExpires  = "expires_in"
)

const (
	slotEmail = iota
	slotPassword
	slotToken
	slotExpires
	fixedSlots
)

// maxAnswer is how much of a body a step that looks into it keeps, and leastAnswer
// what every other keeps, to show what came instead of what was expected.
const (
	maxAnswer   = 1 << 20
	leastAnswer = 1 << 10
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
