package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func foreignObjects(t *T) {
	a, b := t.Session(), t.Session()
	made := t.Do("create", a.from, a.access, nil)
	if !t.Operation("create").Succeeded(made.Status) {
		t.Skip("making an object: got %s", made.got())
	}
	id := t.Field("create", made, "id")
	for _, name := range []string{"get", "update", "delete"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			t.Note("the profile has no %s", name)
			t.For("8.2.2").Missing("the profile has no %s", name)
			continue
		}
		ans := t.Do(name, b.from, b.access, values{"id": id})
		t.Check(t.turned(name, ans), "%v of another's object: got %s, want 404 or 403", ans, ans.got())
	}
	list := t.Do("list", b.from, b.access, nil)
	if t.WantDone("list", list) {
		t.Check(!bytes.Contains(list.Body, []byte(id)), "%v: another's object %s is in the list", list, id)
	}
	t.WantDone("get", t.Do("get", a.from, a.access, values{"id": id}))
	own := t.Do("list", a.from, a.access, nil)
	t.byNobody(a, id) // last, for it may well delete the object
	// On a list of several pages the object may lie further on, for anybody to see.
	if t.Operation("list").Succeeded(own.Status) && !bytes.Contains(own.Body, []byte(id)) {
		t.Skip("%v: its owner does not find object %s on the first page either, so that another does not proves nothing of the list: ask for more at once in the profile's list (as in ?perPage=500)", own, id)
	}
}

// byNobody tries all that an object's owner may do to it, without a token. A list that
// is answered may not hold the object.
func (t *T) byNobody(owner session, id string) {
	for _, name := range []string{"list", "get", "update", "delete"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			continue
		}
		ans := t.Do(name, owner.from, "", values{"id": id})
		if name == "list" {
			t.Check(ans.Err == nil && !bytes.Contains(ans.Body, []byte(id)), "%v by nobody signed in: got %s, with object %s in it", ans, ans.got(), id)
			continue
		}
		t.Check(t.turned(name, ans), "%v of an object by nobody signed in: got %s, want %d or another refusal", ans, ans.got(), t.Operation(name).Refusal())
	}
}

func massAssignment(t *T) {
	s, other := t.Session(), t.Session()
	before := t.Do("me", s.from, s.access, nil)
	if !t.Operation("me").Succeeded(before.Status) {
		t.Skip("me before anything was tried: got %s; is its path right in the profile?", before.got())
	}
	made := t.Do("create", s.from, s.access, nil)
	if !t.Operation("create").Succeeded(made.Status) {
		t.Skip("making an object: got %s", made.got())
	}
	id := t.Field("create", made, "id")
	guesses := map[string]any{"role": "admin", "user_id": other.id, "clinic_id": "00000000-0000-7000-8000-000000000000", "is_active": false}
	for field, value := range t.ownFields(other) {
		guesses[field] = value
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
			switch a.Status {
			case http.StatusUnprocessableEntity, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
				t.Check(true, "")
				continue
			}
			got, _ := t.Operation(name).Value(a.Body, field)
			t.Check(a.Status < 300 && fmt.Sprint(got) != fmt.Sprint(value), "%v: got %s and %s is now %v, want it refused or unchanged", a, a.got(), field, got)
		}
	}
	after := t.Do("me", s.from, s.access, nil)
	t.Check(t.Operation("me").Succeeded(after.Status) && without(before) == without(after), "%v: who I am has changed: %s, before %s", after, cut(without(after)), cut(without(before)))
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
