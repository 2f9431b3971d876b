package load

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"vitals/internal/redact"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// newCompiler begins a plan, with what is known of every account.
func newCompiler(sc *scenarios.Scenario, opt Options) compiler {
	c := compiler{
		plan: &plan{
			names: []string{nameEmail, namePassword, nameToken, nameExpires}, requests: sc.Accounts.Requests, cookies: sc.Cookies,
			secret: []secret{{slotPassword, leastSecret}, {slotToken, leastSecret}}, fixed: map[int]string{},
		},
		slots: map[string]int{nameEmail: slotEmail, namePassword: slotPassword, nameToken: slotToken, nameExpires: slotExpires},
		base:  opt.Base, prefix: wire.Prefix(opt.Base), scenario: sc, env: opt.Env,
	}
	if c.env == nil {
		c.env = os.LookupEnv
	}
	return c
}

// compile makes the plan. All mistakes are reported, each with its place.
func compile(sc *scenarios.Scenario, opt Options) (*plan, error) {
	c := newCompiler(sc, opt)
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
			if k.slot != slotExpires && !identity.MatchString(c.plan.names[k.slot]) {
				c.plan.secret = append(c.plan.secret, secret{k.slot, leastSecret})
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
		c.plan.secret = append(c.plan.secret, secret{slot, leastSecret})
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
					c.plan.secret = append(c.plan.secret, secret{x.slot, leastSecret})
				} else if x.cookie != "" {
					c.plan.secret = append(c.plan.secret, secret{x.slot, redact.Least})
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
		for _, slot := range first.sends() {
			if _, fixed := c.plan.fixed[slot]; !fixed && !free[slot] && !slices.Contains(mt.needs, slot) {
				mt.needs = append(mt.needs, slot)
			}
		}
		made.tasks = append(made.tasks, mt)
	}
	if len(made.tasks) == 0 {
		c.errs = append(c.errs, fmt.Errorf("journey %q has no task", j.Name))
	}
	made.signed = made.signed || c.ofAccount(&made)
	if most := c.plan.requests; most > 0 && made.signed && made.longest+1 > most {
		c.errs = append(c.errs, fmt.Errorf("journey %q: a task of %d steps and a sign-out do not fit into the %d requests an account may make",
			j.Name, made.longest, most))
	}
	made.weight = cmp.Or(j.Weight, 1)
	c.plan.weight += made.weight
	c.plan.journeys = append(c.plan.journeys, made)
}

// ofAccount tells whether a step of a journey sends what only a user with an account has:
// its email or password, or what a sign-in saved. What a feed or a step of the journey
// gives under such a name is its own.
func (c *compiler) ofAccount(j *journey) bool {
	if c.plan.signIn == nil {
		return false
	}
	theirs := map[int]bool{slotEmail: true, slotPassword: true}
	for _, k := range c.plan.signIn.captures {
		theirs[k.slot] = true
	}
	if j.feed != nil {
		for _, slot := range j.feed.slots {
			delete(theirs, slot)
		}
	}
	for _, t := range j.tasks {
		for _, s := range t.steps {
			for _, k := range s.captures {
				delete(theirs, k.slot)
			}
		}
	}
	return slices.ContainsFunc(j.tasks, func(t task) bool {
		return slices.ContainsFunc(t.steps, func(s step) bool {
			return slices.ContainsFunc(s.sends(), func(slot int) bool { return theirs[slot] })
		})
	})
}

// sends are the slots that a step fills in, or expects.
func (s *step) sends() []int {
	return slices.Concat(s.path.slots(), s.host.slots(), s.lines.slots(), s.body.slots(), s.expect.slots())
}

func (c *compiler) step(s *scenarios.Step) step {
	fail := func(err error) {
		if err != nil {
			c.errs = append(c.errs, fmt.Errorf("%s:%d:%d: step %q: %w", c.scenario.File, s.Line, s.Col, s.Name, err))
		}
	}
	made := step{
		index: c.index, name: s.Name, method: cmp.Or(s.Method, "GET"), anonymous: s.Anonymous, escape: escaping(s.Header),
		timeout: cmp.Or(s.Timeout, c.scenario.Timeout, 10*time.Second),
	}
	c.index++
	made.baggage = baggage(c.scenario.Name, s.Name)
	made.route, _, _ = strings.Cut(s.Path, "?")
	for name, value := range s.Header {
		c.credential(name, value)
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
	made.expect, err = compileExpect(s.Expect, c.parse)
	fail(err)
	made.path, err = c.parse(cmp.Or(c.prefix+s.Path, "/"))
	fail(err)
	made.body, err = c.parse(s.Body)
	fail(err)
	made.body.place(s.Body, s.Header)
	if s.Binary != nil {
		made.body = template{{text: s.Binary, slot: -1}}
	}
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
	if s.Body != "" && s.Binary == nil && !has["content-type"] {
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
