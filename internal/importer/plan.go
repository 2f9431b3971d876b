package importer

import (
	"encoding/json"
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

// session finds how users sign in, stay so, and sign out.
func (d *outline) session(calls []*call) {
	first := func(k kind) *call {
		i := slices.IndexFunc(calls, func(c *call) bool { return c.kind == k && !isParam(c.path) })
		if i < 0 {
			return nil
		}
		return calls[i]
	}
	login := first(isLogin)
	if login == nil {
		d.anonymous = true
		if slices.ContainsFunc(calls, func(c *call) bool { return c.signed }) {
			d.decide = append(d.decide, "no operation was found that signs in with a password, although others ask for somebody who is signed in: write accounts: with its sign_in")
		}
		return
	}
	s := login.step("sign in")
	s.anonymous = false // it is by itself
	s.body = d.credentials(login, &s)
	token, ok := byKey(login.answer, accessKeys...)
	if !ok {
		token = "access_token"
		s.decide = append(s.decide, "where the token stands in the answer: the source does not say")
	}
	s.save = map[string]string{"token": "json:" + token}
	refresh, refreshes := byKey(login.answer, "refreshtoken", "refresh")
	if refreshes && refresh != token {
		s.save["refresh_token"] = "json:" + refresh
	}
	if place, ok := byKey(login.answer, "expiresin", "expires"); ok && refreshes {
		if _, number := at(login.answer, place).(json.Number); number {
			s.save["expires_in"] = "json:" + place
		}
	}
	d.signIn = &s
	for _, k := range []kind{isRefresh, isLogout} {
		c := first(k)
		if c == nil || c.other != "" {
			continue
		}
		made := c.step(map[kind]string{isRefresh: "refresh", isLogout: "sign out"}[k])
		made.anonymous = false
		wants := false
		made.body = replaced(made.body, func(key string, v any) (any, bool) {
			if strings.Contains(plain(key), "refresh") || plain(key) == "token" {
				wants = true
				return "{{refresh_token}}", true
			}
			return v, false
		})
		if c.form {
			made.text, made.body = formText(made.body), nil
			made.header = append(made.header, [2]string{"Content-Type", formType})
		}
		if wants && s.save["refresh_token"] == "" {
			d.say("%s %s is left out: it takes a refresh token, and the answer to the sign-in is not known to have one", c.method, c.path)
			continue
		}
		if k == isLogout {
			d.signOut = &made
			continue
		}
		place, ok := byKey(c.answer, accessKeys...)
		if !ok {
			place = token
		}
		made.save = map[string]string{"token": "json:" + place}
		if again, ok := byKey(c.answer, "refreshtoken", "refresh"); ok && s.save["refresh_token"] != "" && again != place {
			made.save["refresh_token"] = "json:" + again
		}
		d.refresh = &made
	}
}

const formType = "application/x-www-form-urlencoded"

// credentials is a sign-in's body with the account's own; a form becomes the step's
// text.
func (d *outline) credentials(c *call, s *step) any {
	account, password := credential(c.body)
	body := put(c.body, password, "{{password}}")
	if account != "" {
		body = put(body, account, "{{email}}")
	} else {
		s.decide = append(s.decide, "which field names the account: none is called like one")
	}
	if c.form {
		s.text = formText(body)
		s.header = append(s.header, [2]string{"Content-Type", formType})
		return nil
	}
	return body
}

// put is a JSON value with another at a place.
func put(v any, place string, value any) any {
	if place == "." {
		return value
	}
	key, rest, more := strings.Cut(place, ".")
	if !more {
		rest = "."
	}
	switch in := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, c := range in {
			if out[k] = c; k == key {
				out[k] = put(c, rest, value)
			}
		}
		return out
	case []any:
		out := slices.Clone(in)
		if key == "0" && len(out) > 0 {
			out[0] = put(out[0], rest, value)
		}
		return out
	}
	return v
}

// replaced is a JSON value in which f gave some fields another value.
func replaced(v any, f func(key string, v any) (any, bool)) any {
	switch in := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, c := range in {
			if other, ok := f(k, c); ok {
				out[k] = other
			} else {
				out[k] = replaced(c, f)
			}
		}
		return out
	case []any:
		out := make([]any, len(in))
		for i := range in {
			out[i] = replaced(in[i], f)
		}
		return out
	}
	return v
}

// formText is a body as a form; placeholders stay.
func formText(body any) string {
	m, _ := body.(map[string]any)
	var pairs []string
	for _, k := range keys(m) {
		if isScalar(m[k]) {
			text := fmt.Sprint(m[k])
			if !strings.HasPrefix(text, "{{") || strings.Count(text, "{{") != 1 {
				text = url.QueryEscape(text)
			}
			pairs = append(pairs, url.QueryEscape(k)+"="+text)
		}
	}
	return strings.Join(pairs, "&")
}

// step is the call as a request of the scenario; what stands in its path is a
// sample.
func (c *call) step(name string) step {
	s := step{name: name, method: c.method, path: c.filled(nil), header: slices.Clone(c.header), anonymous: !c.signed, decide: slices.Clone(c.decide)}
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
		if v, ok := look[name]; ok {
			return "{{" + v + "}}"
		}
		if v, ok := c.params[name]; ok && isScalar(v) && fmt.Sprint(v) != "" {
			return url.PathEscape(fmt.Sprint(v))
		}
		return "1"
	})
	if c.query != "" {
		path += "?" + c.query
	}
	return sendable(path)
}

// list is a collection whose entries' ids can be had.
type list struct {
	task  *task
	place string // of the first entry's id
	as    string // the name that it is saved under
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
		case c.kind == isLogin || c.kind == isRefresh || c.kind == isLogout:
		case c.kind == isHealth || c.kind == isReady || c.kind == isLive:
			// checked by audits; users do not ask for it
		case c.kind == isRegister || c.kind == isReset || c.kind == isConfirm || c.kind == isChange:
			leave("it changes an account", c)
		case c.kind == isAction:
			leave("what it does is not known: a load of it may do harm", c)
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
	s := c.step(p.names.name(c.called(), strings.ToLower(c.method)+" "+cutAt(stepName(c.path), 40)))
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

// entry is where the id of a list's first entry stands, and what it is called.
func (c *call) entry() (place, as string, ok bool) {
	items, ok := listPlace(c.answer)
	if !ok {
		return "", "", false
	}
	first := under(items, "0")
	id, ok := idKey(at(c.answer, first), singular(noun(c.path)))
	if !ok {
		return "", "", false
	}
	return under(first, id), variable(singular(noun(c.path)) + "_id"), true
}

// ids finds, for each parameter of a path, the list that has ids for it; what has
// none keeps its sample.
func (p *planner) ids(c *call, calls []*call) (look map[string]string, decide []string) {
	look = map[string]string{}
	parts := strings.Split(c.path, "/")
	for i, part := range parts {
		names := param.FindAllStringSubmatch(part, -1)
		if len(names) == 0 {
			continue
		}
		prefix := strings.Join(parts[:i], "/")
		l := p.maker(prefix, calls)
		if l == nil {
			l = p.lists[prefix]
		}
		if l == nil { // the list may come later in the source
			if k := slices.IndexFunc(calls, func(o *call) bool {
				_, _, ok := o.entry()
				return o.kind == isList && trimmed(o.path) == prefix && !o.old && o.other == "" && ok
			}); k >= 0 {
				p.task(calls[k], calls)
				l = p.lists[prefix]
			}
		}
		if l == nil || len(names) > 1 || part != names[0][0] {
			for _, n := range names {
				decide = append(decide, fmt.Sprintf("a value for %s in the path: no list of the source has it", n[1]))
			}
			continue
		}
		s := &l.task.steps[0]
		if s.save == nil {
			s.save = map[string]string{}
		}
		for n := 2; s.save[l.as] == "" && p.taken(l); n++ {
			l.as = fmt.Sprintf("%s_%d", strings.TrimRight(l.as, "_0123456789"), n)
		}
		s.save[l.as] = "json:" + l.place
		look[names[0][1]] = l.as
	}
	return look, decide
}

// maker is the task that creates the objects of a collection and is told their ids: a
// list may be empty, and hold what others made. nil when there is none.
func (p *planner) maker(prefix string, calls []*call) *list {
	if l, ok := p.makers[prefix]; ok {
		return l
	}
	p.makers[prefix] = nil // while its own path is filled in
	for _, c := range calls {
		if c.kind != isCreate || trimmed(c.path) != prefix || c.old || c.other != "" {
			continue
		}
		place, ok := c.made()
		if !ok {
			continue
		}
		p.task(c, calls)
		for _, t := range p.made {
			if t.of == c {
				p.makers[prefix] = &list{task: t, place: place, as: variable(singular(noun(c.path)) + "_id")}
			}
		}
		break
	}
	return p.makers[prefix]
}

// made is where the answer to a creation has the id of what was made.
func (c *call) made() (place string, ok bool) {
	object, at := c.answer, "."
	if m, is := object.(map[string]any); is && len(m) == 1 { // {"data": {"id": …}}
		for k, v := range m {
			if _, nested := v.(map[string]any); nested && !strings.Contains(k, ".") {
				at, object = k, v
			}
		}
	}
	id, ok := idKey(object, singular(noun(c.path)))
	return under(at, id), ok
}

// taken tells whether another list saves its ids under the same name.
func (p *planner) taken(l *list) bool {
	for _, o := range p.sources() {
		if o != l && o.as == l.as && o.task.steps[0].save[o.as] != "" {
			return true
		}
	}
	return false
}

// sources are all that ids are taken from.
func (p *planner) sources() (all []*list) {
	for _, by := range []map[string]*list{p.lists, p.makers} {
		for _, prefix := range keys(by) {
			if by[prefix] != nil {
				all = append(all, by[prefix])
			}
		}
	}
	return all
}

// delete makes a task that deletes what it made itself.
func (p *planner) delete(c *call, creates map[string]*call) bool {
	i := strings.LastIndex(c.path, "/")
	made, ok := creates[c.path[:max(i, 0)]]
	if !ok || strings.Count(c.path[i:], "{") != 1 || isParam(c.path[:i]) {
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
	remove.path = c.filled(map[string]string{param.FindStringSubmatch(c.path[i:])[1]: own})
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
