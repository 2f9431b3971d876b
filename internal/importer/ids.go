package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// list is a collection whose entries' ids can be had.
type list struct {
	task  *task
	place string // of the first entry's id
	as    string // the name that it is saved under
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
				return o.kind == isList && trimmed(o.path) == prefix && !o.old && o.other == "" && !o.others && ok
			}); k >= 0 {
				p.task(calls[k], calls)
				l = p.lists[prefix]
			}
		}
		if l == nil || len(names) > 1 || part != names[0][0] {
			for _, n := range names {
				if as, ok := p.toldAtSignIn(n[1], calls); ok {
					look[n[1]] = as
					continue
				}
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

// ownID is a body of the call with the placeholder of an object's id where it has, by its name, the
// id of the object that the path ends with.
func (c *call) ownID(body any, placeholder string) any {
	m, ok := body.(map[string]any)
	_, last := split(c.path)
	of := param.FindStringSubmatch(last)
	if !ok || of == nil || of[0] != last {
		return body
	}
	out, object := map[string]any{}, thing(noun(c.path))
	for k, v := range m {
		named, word, _ := idName(k)
		text, isText := v.(string)
		_, isNumber := v.(json.Number)
		out[k] = v
		switch {
		case len(m) == 1 && (k == "data" || thing(k) == object): // {"order": {"id": …}}
			out[k] = c.ownID(v, placeholder)
		case plain(k) != plain(of[1]) && (word != "id" && word != "uuid" || named != "" && named != object):
		case isNumber || strings.HasPrefix(text, unquoted):
			out[k] = unquoted + placeholder
		case isText:
			out[k] = placeholder
		}
	}
	return out
}

// toldAtSignIn saves a value of a path that the answer to the sign-in has under the same
// name, as the id of who is signed in.
func (p *planner) toldAtSignIn(name string, calls []*call) (as string, ok bool) {
	i := slices.IndexFunc(calls, func(c *call) bool { return c.kind == isLogin })
	if i < 0 || p.d.signIn == nil {
		return "", false
	}
	place, ok := byKey(calls[i].answer, plain(name))
	if !ok {
		return "", false
	}
	as = variable(name)
	p.d.signIn.save[as] = "json:" + place
	return as, true
}

// maker is the task that creates the objects of a collection and is told their ids: a
// list may be empty, and hold what others made. nil when there is none.
func (p *planner) maker(prefix string, calls []*call) *list {
	if l, ok := p.makers[prefix]; ok {
		return l
	}
	p.makers[prefix] = nil // while its own path is filled in
	for _, c := range calls {
		if c.kind != isCreate || trimmed(c.path) != prefix || c.old || c.other != "" || c.others {
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
