package audit

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// foreignOwner is what a field that may say whose an object is would be of another user.
type foreignOwner struct {
	value any
	sure  bool // the field holds the owner; else it may hold something else of theirs
}

// whose are the fields of an object that may say whose it is, by what two objects of
// either account show. These are made by turns, so that no time and no count tells the
// accounts apart as an owner does.
func (t *T) whose(f *foreignFields, me Answer) map[string]foreignOwner {
	out := map[string]foreignOwner{}
	add := func(found map[string]any, sure bool) {
		for field, v := range found {
			if _, ok := out[field]; !ok {
				out[field] = foreignOwner{v, sure}
			}
		}
	}
	theirs := t.Do("me", f.other.from, f.other.access, nil)
	becomes := accountIDs(me, theirs)
	for v, others := range accountIDs(f.owner.signed, f.other.signed) {
		becomes[v] = append(becomes[v], others...)
	}
	if f.owner.id != "" && f.other.id != "" {
		becomes[f.owner.id] = append(becomes[f.owner.id], f.other.id)
	}
	made := []Answer{f.plain["create"], t.another(f.other), t.another(f.owner), t.another(f.other)}
	if slices.ContainsFunc(made, func(a Answer) bool { return !t.Operation("create").Succeeded(a.Status) }) {
		add(owned(made[0], f.id, me, theirs), true) // there is nothing to compare
	} else {
		compare := func(as []Answer, name string) {
			sure, perhaps := owners(as, becomes, last("."+t.idPlace(name)))
			add(sure, true)
			add(perhaps, false)
		}
		compare(made, "create")
		if _, ok := f.plain["get"]; ok { // which may show more
			var got []Answer
			for i, a := range made {
				s := []session{f.owner, f.other}[i%2]
				id, _ := t.Operation("create").Field(a.Body, "id")
				got = append(got, t.Do("get", s.from, s.access, values{"id": id}))
			}
			compare(got, "get")
		}
	}
	add(t.ownFields(f.other), true)
	if f.other.id != "" {
		add(map[string]any{"user_id": f.other.id}, true)
	}
	return out
}

// another makes one more object of an account's.
func (t *T) another(s session) Answer {
	a := t.Do("create", s.from, s.access, nil)
	t.remember(s, "create", a)
	return a
}

// idPlace is where an operation's answer has the id of an object.
func (t *T) idPlace(name string) string {
	if place, ok := t.Operation(name).Fields["id"]; ok {
		return place
	}
	return "id"
}

var (
	namesID    = regexp.MustCompile(`(id|sub|pk)$`)
	namesOwner = regexp.MustCompile(`(owner|user|author|creator|account|customer|member|maker|by)(id)?$`)
)

// accountIDs are what tells two accounts apart in answers of one kind about them: the one's, and
// what it is of the other. Numbers are many things; only those whose names say so are ids.
func accountIDs(mine, theirs Answer) map[string][]string {
	out, other := map[string][]string{}, placed(theirs)
	for place, v := range placed(mine) {
		o := other[place]
		switch v := v.(type) {
		case string:
			if o, ok := o.(string); ok && v != "" && o != "" && v != o {
				out[v] = append(out[v], o)
			}
		case json.Number:
			if o, ok := o.(json.Number); ok && v != o && namesID.MatchString(letters(last(place))) {
				out[v.String()] = append(out[v.String()], o.String())
			}
		}
	}
	return out
}

// owners are the fields that two objects of one account have alike, and two of another
// otherwise, with the other's value; by turns, the one's first. sure are those that hold an
// id of the account's, or are named as owners are; perhaps: the rest, for an account's
// currency is its own as well.
func owners(made []Answer, becomes map[string][]string, id string) (sure, perhaps map[string]any) {
	sure, perhaps = map[string]any{}, map[string]any{}
	var shown [4]map[string]any
	for i, a := range made {
		shown[i] = placed(a)
	}
	for place, v := range shown[0] {
		field, o := last(place), shown[1][place]
		if _, flag := v.(bool); flag || v == nil || o == nil || v == o || v != shown[2][place] || o != shown[3][place] || field == id || field == "id" || field == "" {
			continue
		}
		if slices.Contains(becomes[fmt.Sprint(v)], fmt.Sprint(o)) || namesOwner.MatchString(letters(field)) {
			sure[field] = o
		} else {
			perhaps[field] = o
		}
	}
	for field := range sure {
		delete(perhaps, field)
	}
	return sure, perhaps
}

// owned are the fields of a new object that hold who made it, with what they would be of
// another user: a value that the maker's me has, where the other's has another one.
func owned(made Answer, id string, mine, theirs Answer) map[string]any {
	other := leaves(theirs)
	becomes := map[string]string{}
	for place, v := range leaves(mine) {
		if o, ok := other[place]; ok && o != v && v != "" && o != "" && v != id {
			becomes[v] = o
		}
	}
	out := map[string]any{}
	for place, v := range leaves(made) {
		if o, ok := becomes[v]; ok {
			out[last(place)] = o
		}
	}
	return out
}

// leaves are the texts of an answer's JSON object, by their places.
func leaves(a Answer) map[string]string {
	out := map[string]string{}
	for place, v := range placed(a) {
		if text, ok := v.(string); ok {
			out[place] = text
		}
	}
	return out
}

// ownFields are the fields of an object that hold who made it, as {{user_id}} in the
// body that makes one, with what they would be of another user.
func (t *T) ownFields(other session) map[string]any {
	out := map[string]any{}
	p, told := t.run.typed(t.target, other.access, nil)
	for field, v := range t.Operation("create").Body {
		text, _ := v.(string)
		name := strings.TrimSuffix(strings.TrimPrefix(text, "{{"), "}}")
		if text != "{{"+name+"}}" || strings.HasSuffix(name, "_token") {
			continue
		}
		if n := p.Values[name]; isNumber(n) && t.target.Profile.Values[name] == nil {
			out[field] = n
		} else if told[name] != "" {
			out[field] = told[name]
		}
	}
	return out
}
