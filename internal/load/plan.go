package load

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
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
	weight   int   // of all journeys
	saved    []int // slots that journeys fill from answers
	requests int   // per account and hour; 0 = no bound
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
	lines     template
	body      template
	escape    escape // of the body
	anonymous bool
	signed    bool // by a header of its own
	unsure    bool // its token may have ended
	expect    expectation
	captures  []capture
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

// maxAnswer is how much of a body a step that looks into it keeps.
const maxAnswer = 1 << 20

// compile makes the plan. All mistakes are reported, each with its place.
func compile(sc *scenarios.Scenario, opt Options) (*plan, error) {
	c := compiler{
		plan:   &plan{names: []string{nameEmail, namePassword, nameToken, nameExpires}, requests: sc.Accounts.Requests},
		slots:  map[string]int{nameEmail: slotEmail, namePassword: slotPassword, nameToken: slotToken, nameExpires: slotExpires},
		prefix: wire.Prefix(opt.Base), scenario: sc,
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
			for _, x := range mt.steps[k].captures {
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
		for _, slot := range slices.Concat(first.path.slots(), first.lines.slots(), first.body.slots()) {
			if !free[slot] && !slices.Contains(mt.needs, slot) {
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
	made.route, _, _ = strings.Cut(s.Path, "?")
	for name := range s.Header {
		made.signed = made.signed || strings.EqualFold(name, "Authorization")
	}
	var err error
	made.path, err = parse(cmp.Or(c.prefix+s.Path, "/"), c.slot)
	fail(err)
	made.body, err = parse(s.Body, c.slot)
	fail(err)
	made.lines, err = parse(lines(s), c.slot)
	fail(err)
	for _, name := range sorted(s.Save) {
		k, err := compileCapture(c.slot(name), s.Save[name])
		fail(err)
		made.captures = append(made.captures, k)
		if k.header == "" {
			made.keep = maxAnswer
		}
	}
	if made.expect.reads() {
		made.keep = maxAnswer
	}
	for _, name := range s.Forget {
		made.forget = append(made.forget, c.slot(name))
	}
	return made
}

// lines are the step's header lines with what every request carries.
func lines(s *scenarios.Step) string {
	var b strings.Builder
	has := map[string]bool{}
	for _, name := range sorted(s.Header) {
		has[strings.ToLower(name)] = true
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
	for name, value := range header {
		switch {
		case !strings.EqualFold(name, "Content-Type") || strings.Contains(value, "json"):
		case strings.Contains(value, "x-www-form-urlencoded"):
			return inPath
		default:
			return inText
		}
	}
	return inJSON
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
