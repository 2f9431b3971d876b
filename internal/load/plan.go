package load

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
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
	secret   []int          // slots whose values no report may show
	fixed    map[int]string // slots that have one value throughout: {{env NAME}}
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

// compile makes the plan. All mistakes are reported, each with its place.
func compile(sc *scenarios.Scenario, opt Options) (*plan, error) {
	c := compiler{
		plan: &plan{
			names: []string{nameEmail, namePassword, nameToken, nameExpires}, requests: sc.Accounts.Requests, cookies: sc.Cookies,
			secret: []int{slotPassword, slotToken}, fixed: map[int]string{},
		},
		slots: map[string]int{nameEmail: slotEmail, namePassword: slotPassword, nameToken: slotToken, nameExpires: slotExpires},
		base:  opt.Base, prefix: wire.Prefix(opt.Base), scenario: sc, env: opt.Env,
	}
	if c.env == nil {
		c.env = os.LookupEnv
	}
	for _, s := range accountSteps(sc) {
		made := c.step(s)
		switch s {
		case &sc.Accounts.SignIn:
			c.plan.signIn = &made
		case sc.Accounts.SignOut:
			c.plan.signOut = &made
		default:
			c.plan.refresh = &made
		}
		made.unsure = s != &sc.Accounts.SignIn // an old session's token is sent with them
		for _, k := range made.captures {
			if k.slot != slotExpires {
				c.plan.secret = append(c.plan.secret, k.slot)
			}
		}
	}
	for i := range sc.Journeys {
		c.journey(&sc.Journeys[i])
	}
	if len(c.plan.journeys) == 0 {
		c.errs = append(c.errs, fmt.Errorf("scenario %s has no journey", sc.Name))
	}
	return c.plan, errors.Join(c.errs...)
}

type compiler struct {
	plan     *plan
	scenario *scenarios.Scenario
	slots    map[string]int
	env      func(name string) (string, bool)
	base     *url.URL
	prefix   string // of every path
	index    int
	errs     []error
}

func (c *compiler) slot(name string) int {
	if i, ok := c.slots[name]; ok {
		return i
	}
	i := len(c.plan.names)
	c.slots[name], c.plan.names = i, append(c.plan.names, name)
	return i
}

// given is the slot of a value from the environment. Where it is not set, the run
// must not begin: an empty key would measure refusals.
func (c *compiler) given(name string) int {
	slot := c.slot("env " + name)
	if _, known := c.plan.fixed[slot]; !known {
		value, ok := c.env(name)
		if !ok {
			c.errs = append(c.errs, fmt.Errorf("{{env %s}}: the environment variable is not set", name))
		}
		c.plan.fixed[slot] = value
		c.plan.secret = append(c.plan.secret, slot)
	}
	return slot
}

func (c *compiler) journey(j *scenarios.Journey) {
	made := journey{name: j.Name}
	free := map[int]bool{slotEmail: true, slotPassword: true} // known before any answer
	if c.plan.signIn != nil {
		for _, k := range c.plan.signIn.captures {
			free[k.slot] = true
		}
	}
	if j.Feed != nil {
		made.feed = &feed{random: j.Feed.Order == "random"}
		for _, column := range j.Feed.Column {
			made.feed.slots = append(made.feed.slots, c.slot(column))
			free[c.slot(column)] = true
		}
		for _, row := range j.Feed.Rows {
			var values [][]byte
			for _, column := range j.Feed.Column {
				values = append(values, []byte(row[column]))
			}
			made.feed.rows = append(made.feed.rows, values)
		}
	}
	for i := range j.Tasks {
		t := &j.Tasks[i]
		mt := task{weight: cmp.Or(t.Weight, 1), think: j.Think}
		if t.Think != (scenarios.Range{}) {
			mt.think = t.Think
		}
		for k := range t.Steps {
			mt.steps = append(mt.steps, c.step(&t.Steps[k]))
			made.signed = made.signed || !t.Steps[k].Anonymous
		}
		for k := range mt.steps {
			if header := t.Steps[k].Follow; header != "" && k > 0 {
				slot := c.slot("address in " + header)
				before := &mt.steps[k-1]
				before.captures = append(before.captures, capture{slot: slot, from: "header:" + header, follow: &follower{header, c.base}})
				mt.steps[k].path = template{{slot: slot, raw: true}}
			}
		}
		for k := range mt.steps {
			for _, x := range mt.steps[k].captures {
				if hidden.MatchString(c.plan.names[x.slot]) {
					c.plan.secret = append(c.plan.secret, x.slot)
				}
				c.plan.saved = append(c.plan.saved, x.slot)
				c.plan.ownTokens = c.plan.ownTokens || x.slot == slotToken
			}
		}
		made.longest = max(made.longest, len(mt.steps))
		if len(mt.steps) == 0 {
			c.errs = append(c.errs, fmt.Errorf("task %q of journey %q has no step", t.Name, j.Name))
			continue
		}
		first := &mt.steps[0]
		for _, slot := range slices.Concat(first.path.slots(), first.host.slots(), first.lines.slots(), first.body.slots()) {
			if _, fixed := c.plan.fixed[slot]; !fixed && !free[slot] && !slices.Contains(mt.needs, slot) {
				mt.needs = append(mt.needs, slot)
			}
		}
		made.tasks = append(made.tasks, mt)
	}
	if len(made.tasks) == 0 {
		c.errs = append(c.errs, fmt.Errorf("journey %q has no task", j.Name))
	}
	if most := c.plan.requests; most > 0 && made.signed && made.longest+1 > most {
		c.errs = append(c.errs, fmt.Errorf("journey %q: a task of %d steps and a sign-out do not fit into the %d requests an account may make",
			j.Name, made.longest, most))
	}
	made.weight = cmp.Or(j.Weight, 1)
	c.plan.weight += made.weight
	c.plan.journeys = append(c.plan.journeys, made)
}

func (c *compiler) step(s *scenarios.Step) step {
	fail := func(err error) {
		if err != nil {
			c.errs = append(c.errs, fmt.Errorf("%s:%d:%d: step %q: %w", c.scenario.File, s.Line, s.Col, s.Name, err))
		}
	}
	made := step{
		index: c.index, name: s.Name, method: cmp.Or(s.Method, "GET"), anonymous: s.Anonymous, escape: escaping(s.Header),
		expect: compileExpect(s.Expect), timeout: cmp.Or(s.Timeout, c.scenario.Timeout, 10*time.Second),
	}
	c.index++
	made.baggage = baggage(c.scenario.Name, s.Name)
	made.route, _, _ = strings.Cut(s.Path, "?")
	for name, value := range s.Header {
		switch strings.ToLower(name) {
		case "authorization":
			made.signed = true
		case "cookie":
			made.cookied = true
		case "x-forwarded-for":
			made.forwarded = true
		case "traceparent":
			made.traced = true
		case "baggage":
			made.baggage = ""
		case "host":
			var err error
			made.host, err = c.parse(value)
			fail(err)
			if text, constant := made.host.constant(); constant {
				made.host, made.hostText = nil, text
			}
		}
	}
	var err error
	made.path, err = c.parse(cmp.Or(c.prefix+s.Path, "/"))
	fail(err)
	made.body, err = c.parse(s.Body)
	fail(err)
	made.body.place(s.Body, s.Header)
	made.lines, err = c.parse(lines(s))
	fail(err)
	for _, name := range sorted(s.Save) {
		k, err := compileCapture(c.slot(name), s.Save[name])
		fail(err)
		made.captures = append(made.captures, k)
		made.looks = made.looks || k.reads()
	}
	made.looks = made.looks || made.expect.reads()
	if made.keep = leastAnswer; made.looks {
		made.keep = maxAnswer
	}
	for _, name := range s.Forget {
		made.forget = append(made.forget, c.slot(name))
	}
	return made
}

func (c *compiler) parse(text string) (template, error) { return parse(text, c.slot, c.given) }

// lines are the step's header lines with what every request carries.
func lines(s *scenarios.Step) string {
	var b strings.Builder
	has := map[string]bool{}
	for _, name := range sorted(s.Header) {
		if has[strings.ToLower(name)] = true; strings.EqualFold(name, "Host") {
			continue // one line, which the client writes
		}
		fmt.Fprintf(&b, "%s: %s\r\n", name, s.Header[name])
	}
	if !has["user-agent"] {
		b.WriteString("User-Agent: vitals\r\n")
	}
	if s.Body != "" && !has["content-type"] {
		b.WriteString("Content-Type: application/json\r\n")
	}
	return b.String()
}

// escaping fits values into a body under this header: JSON, as it is unless the
// header says otherwise, a form, or any text.
func escaping(header map[string]string) escape {
	switch kind := contentType(header); {
	case sendsJSON(header):
		return inJSON
	case strings.Contains(kind, "x-www-form-urlencoded"):
		return inPath
	}
	return inText
}

func sendsJSON(header map[string]string) bool {
	kind := contentType(header)
	return kind == "" || strings.Contains(kind, "json")
}

func contentType(header map[string]string) string {
	for name, value := range header {
		if strings.EqualFold(name, "Content-Type") {
			return strings.ToLower(value)
		}
	}
	return ""
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
