package importer

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// mostTasks is how many tasks are written: beyond that nobody reads them. The first
// of the source are kept.
const mostTasks = 60

// weights are how often a kind of call is drawn: people read more than they write.
var weights = map[kind]int{isList: 10, isGet: 8, isRead: 4, isMe: 3, isCreate: 3, isUpdate: 2}

// plan turns the calls of an API into a journey, a sign-in and the profile's
// operations.
func (d *outline) plan(calls []*call) {
	identify(calls)
	d.session(calls)
	d.profileOf(calls)
	p := planner{d: d, names: unique{"sign in": true, "sign out": true, "refresh": true}, lists: map[string]*list{}, makers: map[string]*list{}, done: map[*call]bool{}}
	p.tasks(calls)
}

// step is the call as a request of the scenario; what stands in its path is a
// sample.
func (c *call) step(name string) step {
	s := step{name: name, method: c.method, path: c.filled(nil), header: slices.Clone(c.header), anonymous: !c.signed, decide: slices.Clone(c.decide), sent: c.body}
	switch {
	case c.form:
		s.text = formText(c.body)
		s.header = append(s.header, [2]string{"Content-Type", formType})
	case c.body != nil:
		s.body = c.body
	}
	if c.ok != 0 {
		s.status = []int{c.ok}
	}
	return s
}

var param = regexp.MustCompile(`\{([^{}]*)\}`)

// filled is the call's path with what look gives for its parameters, else with
// samples.
func (c *call) filled(look map[string]string) string {
	path := param.ReplaceAllStringFunc(c.path, func(m string) string {
		name := m[1 : len(m)-1]
		if name == "user_id" && strings.Contains(c.path, "{{user_id}}") {
			return m // known wherever somebody is signed in
		}
		if v, ok := look[name]; ok {
			return "{{" + v + "}}"
		}
		if written, ok := c.params[name].(asWritten); ok && written != "" {
			return string(written)
		}
		if v, ok := c.params[name]; ok && isScalar(v) && fmt.Sprint(v) != "" {
			return url.PathEscape(asWhole.Replace(fmt.Sprint(v)))
		}
		return "1"
	})
	if c.query != "" {
		path += "?" + c.query
	}
	return sendable(path)
}

type planner struct {
	d      *outline
	names  unique
	lists  map[string]*list // by path
	makers map[string]*list // by path of the collection
	made   []*task
	done   map[*call]bool
}

func (p *planner) tasks(calls []*call) {
	d := p.d
	var later []*call
	left := map[string][]string{}
	leave := func(why string, c *call) { left[why] = append(left[why], c.method+" "+c.path) }
	creates := map[string]*call{} // by path
	for _, c := range calls {
		switch {
		case c.old:
			leave("deprecated", c)
		case c.other != "":
			leave("its body is "+c.other, c)
		case c.others:
			leave("it is for others than ordinary accounts", c)
			if c.signed && c.method == "GET" && !isParam(c.path) {
				d.reserved = append(d.reserved, c)
			}
		case c.kind == isLogin || c.kind == isRefresh || c.kind == isLogout:
		case c.kind == isHealth || c.kind == isReady || c.kind == isLive:
			// checked by audits; users do not ask for it
		case c.kind == isRegister || c.kind == isReset || c.kind == isConfirm || c.kind == isChange:
			leave("it changes an account", c)
		case c.kind == isAction:
			leave("it does something to what is there, and nobody can tell what: a load of it may do harm", c)
		case c.kind == isDelete:
			later = append(later, c)
		default:
			if c.kind == isCreate {
				creates[trimmed(c.path)] = c
			}
			p.task(c, calls)
		}
	}
	for _, c := range later {
		if !p.delete(c, creates) {
			leave("it deletes what others made", c)
		}
	}
	for _, why := range keys(left) {
		what := left[why]
		if len(what) > 6 {
			what = append(what[:6:6], fmt.Sprintf("and %d more", len(left[why])-6))
		}
		d.say("left out, %s: %s", why, strings.Join(what, ", "))
	}
	if len(p.made) > mostTasks {
		d.say("%d of %d tasks are written, the first of the source; add others by hand", mostTasks, len(p.made))
		p.made = p.kept()
	}
	if len(p.made) == 0 {
		p.health(calls)
	}
	j := journey{name: "user", think: "1s..3s"}
	for _, t := range p.made {
		j.tasks = append(j.tasks, *t)
	}
	if len(j.tasks) > 0 {
		d.journeys = []journey{j}
	}
}

// kept are the first tasks, with the lists that they take their ids from.
func (p *planner) kept() []*task {
	needed := map[*task]bool{}
	for _, t := range p.made[:mostTasks] {
		needed[t] = true
	}
	for changed := true; changed; {
		changed = false
		for _, l := range p.sources() {
			for t := range needed {
				if t != l.task && !needed[l.task] && uses(t, l.as) {
					needed[l.task], changed = true, true
					break
				}
			}
		}
	}
	return slices.DeleteFunc(p.made, func(t *task) bool { return !needed[t] })
}

func uses(t *task, name string) bool {
	return slices.ContainsFunc(t.steps, func(s step) bool { return strings.Contains(s.path, "{{"+name+"}}") })
}

// task makes a task of one call.
func (p *planner) task(c *call, calls []*call) {
	if p.done[c] {
		return
	}
	p.done[c] = true
	look, decide := p.ids(c, calls)
	sent := *c
	if _, last := split(c.path); look[strings.Trim(last, "{}")] != "" {
		sent.body = c.ownID(c.body, "{{"+look[strings.Trim(last, "{}")]+"}}")
	}
	s := sent.step(p.names.name(c.called(), strings.ToLower(c.method)+" "+cutAt(stepName(c.path), 40)))
	s.path = c.filled(look)
	s.decide = append(s.decide, decide...)
	t := &task{name: s.name, weight: max(1, weights[c.kind]), steps: []step{s}, of: c}
	p.made = append(p.made, t)
	if c.kind == isList {
		if at, as, ok := c.entry(); ok && p.lists[trimmed(c.path)] == nil {
			p.lists[trimmed(c.path)] = &list{task: t, place: at, as: as}
		}
	}
}

// delete makes a task that deletes what it made itself.
func (p *planner) delete(c *call, creates map[string]*call) bool {
	collection, object := split(c.path)
	made, ok := creates[collection]
	if !ok || strings.Count(object, "{") != 1 || isParam(collection) {
		return false
	}
	place, ok := made.made()
	if !ok {
		return false
	}
	own := variable("own_" + singular(noun(made.path)) + "_id")
	thing := singular(strings.Join(lower(noun(made.path)), " "))
	create := made.step(p.names.name("create "+thing+" for deletion", ""))
	create.save = map[string]string{own: "json:" + place}
	remove := c.step(p.names.name(c.called(), "delete "+thing))
	remove.path = c.filled(map[string]string{param.FindStringSubmatch(object)[1]: own})
	p.made = append(p.made, &task{name: p.names.name("create and delete "+thing, ""), weight: 1, steps: []step{create, remove}})
	return true
}

// health asks for the health checks when there is nothing else that could be sent.
func (p *planner) health(calls []*call) {
	for _, c := range calls {
		if c.kind == isHealth || c.kind == isReady || c.kind == isLive {
			p.task(c, calls)
		}
	}
}

// called is the call's name for people.
func (c *call) called() string {
	if name := stepName(c.title); name != "" && len(strings.Fields(name)) <= 7 {
		return name
	}
	if name := strings.Join(lower(c.id), " "); name != "" && len(strings.Fields(name)) <= 7 {
		return stepName(name)
	}
	return stepName(c.said())
}

// said is a name made of the method and the path: "list order lines".
func (c *call) said() string {
	verb := map[kind]string{isList: "list", isGet: "read", isRead: "read", isMe: "read", isCreate: "create", isUpdate: "change", isDelete: "delete"}[c.kind]
	if verb == "" {
		verb = strings.ToLower(c.method)
	}
	var fixed []string
	for _, s := range segments(c.path) {
		if !isParam(s) && !version.MatchString(s) && s != "api" {
			fixed = append(fixed, strings.Join(lower(s), " "))
		}
	}
	fixed = fixed[max(0, len(fixed)-2):]
	for i := range fixed {
		if i < len(fixed)-1 || c.kind != isList && c.kind != isRead {
			fixed[i] = singular(fixed[i])
		}
	}
	return verb + " " + strings.Join(fixed, " ")
}

var version = regexp.MustCompile(`^v[0-9.]+$`)
