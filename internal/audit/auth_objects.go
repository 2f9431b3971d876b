package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

func foreignObjects(t *T) {
	a, b := t.Session(), t.Session()
	made := t.Do("create", a.from, a.access, nil)
	t.remember(a, "create", made)
	if !t.Operation("create").Succeeded(made.Status) {
		t.Skip("making an object: got %s", made.got())
	}
	id := t.Field("create", made, "id")
	o := &privateObject{owner: a, id: id}
	if _, ok := t.target.Profile.Operations["update"]; ok {
		t.marks(o)
	}
	other := stranger{b.from, b.access, "of another's object", "404 or 403", " by another user"}
	for _, name := range []string{"get", "update", "delete"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			t.Note("the profile has no %s", name)
			t.For("8.2.2").Missing("the profile has no %s", name)
			continue
		}
		if t.reaches(name, o, other) {
			t.Note("whether others, and nobody signed in, find it in the list was not asked: it is gone")
			return
		}
	}
	list := t.Do("list", b.from, b.access, nil)
	if t.WantDone("list", list) {
		t.Check(!bytes.Contains(list.Body, []byte(id)), "%v: another's object %s is in the list", list, id)
	}
	t.WantDone("get", t.Do("get", a.from, a.access, values{"id": id}))
	// On a list of several pages the object may lie further on, for anybody to see.
	query, found, own := t.finds(a, id)
	if query != "" {
		t.Note("the list was asked for with %s, for its first page has not the object", query)
		list := t.paged(b.from, b.access, query)
		t.Check(list.Err == nil && !bytes.Contains(list.Body, []byte(id)), "%v: got %s, and another's object %s is in the list", list, list.got(), id)
	}
	t.byNobody(o, query) // last, for it may well delete the object
	if !found {
		t.unfound(own, id)
	}
}

// byNobody tries all that an object's owner may do to it, without a token. A list that
// is answered, asked for as its owner finds it there, may not hold the object.
func (t *T) byNobody(o *privateObject, query string) {
	nobody := stranger{from: o.owner.from, reach: "of an object by nobody signed in", mark: " by nobody"}
	for _, name := range []string{"list", "get", "update", "delete"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			continue
		}
		if name == "list" {
			ans := t.paged(o.owner.from, "", query)
			t.Check(ans.Err == nil && !bytes.Contains(ans.Body, []byte(o.id)), "%v by nobody signed in: got %s, with object %s in it", ans, ans.got(), o.id)
			continue
		}
		if t.reaches(name, o, nobody) {
			return
		}
	}
}

// asOwner tells that an answer to an update says nothing of who sent it, and notes it: its
// owner is refused for the same reason, as for a body that the API does not take.
func (t *T) asOwner(name string, ans Answer, owner session, id string) bool {
	if name != "update" || t.turned(name, ans) || ans.Status < http.StatusBadRequest || ans.Status >= http.StatusInternalServerError {
		return false
	}
	own := t.Do(name, owner.from, owner.access, values{"id": id})
	if own.Status != ans.Status {
		return false
	}
	t.Note("whose object may be updated was not shown: %v got %s, and so does its owner: is the body of update right in the profile?", ans, ans.got())
	t.For("8.2.2").Missing("update is refused to the owner as well")
	return true
}

func massAssignment(t *T) {
	s, other := t.Session(), t.Session()
	before := t.Do("me", s.from, s.access, nil)
	if !t.Operation("me").Succeeded(before.Status) {
		t.Skip("me before anything was tried: got %s; is its path right in the profile?", before.got())
	}
	made := t.Do("create", s.from, s.access, nil)
	t.remember(s, "create", made)
	if !t.Operation("create").Succeeded(made.Status) {
		t.Skip("making an object: got %s", made.got())
	}
	id := t.Field("create", made, "id")
	guesses := map[string]any{"role": "admin", "user_id": other.id, "is_active": false}
	if t.target.Profile.Name == "clinic" {
		guesses["clinic_id"] = "00000000-0000-7000-8000-000000000000"
	}
	maps.Copy(guesses, t.ownFields(other))
	maps.Copy(guesses, owned(made, id, before, t.Do("me", other.from, other.access, nil)))
	o, was, refused := &privateObject{owner: s, id: id}, look{}, map[string]Answer{}
	if _, ok := t.target.Profile.Operations["update"]; ok {
		was = t.look(o)
	}
	for field, value := range guesses {
		for _, name := range []string{"create", "update"} {
			if _, ok := t.target.Profile.Operations[name]; !ok {
				continue
			}
			q := t.Request(name, s.from, s.access, values{"id": id})
			var body map[string]any
			if json.Unmarshal(q.Body, &body) != nil {
				continue
			}
			body[field] = value
			q.Body, _ = json.Marshal(body) // it came from JSON
			q.Label = name + " with " + field
			a := t.Send(q)
			t.remember(s, name, a)
			switch a.Status {
			case http.StatusUnprocessableEntity, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
				t.Check(true, "")
				if name == "update" {
					refused[field] = a
				}
				continue
			}
			got, ok := t.Operation(name).Value(a.Body, field)
			if !ok { // it may stand deeper
				for place, v := range leaves(a) {
					if strings.HasSuffix(place, "."+field) {
						got = v
					}
				}
			}
			t.Check(a.Status < 300 && fmt.Sprint(got) != fmt.Sprint(value), "%v: got %s and %s is now %v, want it refused or unchanged", a, a.got(), field, got)
		}
	}
	if was.found && len(refused) > 0 {
		t.refusedAndSet(was, t.look(o), guesses, refused)
	}
	after := t.Do("me", s.from, s.access, nil)
	t.Check(t.Operation("me").Succeeded(after.Status) && t.content(before) == t.content(after), "%v: who I am has changed: %s, before %s", after, cut(t.content(after)), cut(t.content(before)))
}

// refusedAndSet tells of fields that an update was refused for, and that its object has
// all the same.
func (t *T) refusedAndSet(was, now look, guesses map[string]any, refused map[string]Answer) {
	for _, place := range differing(was, now) {
		field := place[strings.LastIndexByte(place, '.')+1:]
		if a, ok := refused[field]; ok && now.parts[place] == fmt.Sprint(guesses[field]) {
			t.Fail("%v: answered %s, and took effect: %v shows %s %q, before %q", a, a.got(), now.ans, place, cut(now.parts[place]), cut(was.parts[place]))
		}
	}
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
			out[place[strings.LastIndexByte(place, '.')+1:]] = o
		}
	}
	return out
}

// leaves are the texts of an answer's JSON object, by their places.
func leaves(a Answer) map[string]string {
	out := map[string]string{}
	var walk func(place string, v any)
	walk = func(place string, v any) {
		switch v := v.(type) {
		case string:
			out[place] = v
		case map[string]any:
			for name, inner := range v {
				walk(place+"."+name, inner)
			}
		}
	}
	var body any
	if json.Unmarshal(a.Body, &body) == nil {
		walk("", body)
	}
	return out
}

// ownFields are the fields of an object that hold who made it, as {{user_id}} in the
// body that makes one, with what they would be of another user.
func (t *T) ownFields(other session) map[string]any {
	out := map[string]any{}
	told := t.run.told(t.target, other.access, nil)
	for field, v := range t.Operation("create").Body {
		text, _ := v.(string)
		name := strings.TrimSuffix(strings.TrimPrefix(text, "{{"), "}}")
		_, of := t.target.Profile.Operations["login"].Fields[name]
		if of && text == "{{"+name+"}}" && !strings.HasSuffix(name, "_token") && told[name] != "" {
			out[field] = told[name]
		}
	}
	return out
}
