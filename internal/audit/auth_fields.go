package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// foreignFields are the fields that a client must not set, tried on objects of one account
// with what they would be of another.
type foreignFields struct {
	owner, other session
	id           string            // of an object that was made as the profile says
	plain        map[string]Answer // what create, update and get answer where nothing foreign was sent
	hidden       bool              // the other account does not find that object
	refused      map[string]Answer // by field, of update
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
	f := &foreignFields{owner: s, other: other, id: t.Field("create", made, "id"), plain: map[string]Answer{"create": made}, refused: map[string]Answer{}}
	for _, name := range []string{"update", "get"} {
		if _, ok := t.target.Profile.Operations[name]; ok {
			f.plain[name] = t.Do(name, s.from, s.access, values{"id": f.id})
		}
	}
	f.hidden = t.sees(f, f.id) == ""
	guesses := map[string]any{"role": "admin", "is_active": false}
	if t.target.Profile.Name == "clinic" {
		guesses["clinic_id"] = "00000000-0000-7000-8000-000000000000"
	}
	whose := t.whose(f, before)
	o, was := &privateObject{owner: s, id: f.id}, look{}
	if _, ok := t.target.Profile.Operations["update"]; ok {
		was = t.look(o)
	}
	for _, field := range slices.Sorted(maps.Keys(guesses)) {
		t.foreign(f, field, guesses[field], false, true)
	}
	// An object that changes hands is no longer the caller's to change, so these come last.
	for _, field := range slices.Sorted(maps.Keys(whose)) {
		if _, tried := guesses[field]; tried {
			continue
		}
		t.foreign(f, field, whose[field].value, true, whose[field].sure)
		guesses[field] = whose[field].value
	}
	if was.found && len(f.refused) > 0 {
		t.refusedAndSet(was, t.look(o), guesses, f.refused)
	}
	after := t.Do("me", s.from, s.access, nil)
	t.Check(t.Operation("me").Succeeded(after.Status) && t.content(before) == t.content(after), "%v: who I am has changed: %s, before %s", after, cut(t.content(after)), cut(t.content(before)))
}

// foreign sends a field with a foreign value, by create and by update. whose: it may say
// whose the object is. sure: what answers say of the field is what the object has; else
// only that the other account finds the object decides.
func (t *T) foreign(f *foreignFields, field string, value any, whose, sure bool) {
	for _, name := range []string{"create", "update"} {
		if _, ok := t.target.Profile.Operations[name]; !ok {
			continue
		}
		q := t.Request(name, f.owner.from, f.owner.access, values{"id": f.id})
		var body map[string]any
		if json.Unmarshal(q.Body, &body) != nil {
			continue
		}
		body[field] = value
		q.Body, _ = json.Marshal(body) // it came from JSON
		q.Label = name + " with " + field
		a := t.Send(q)
		t.remember(f.owner, name, a)
		forms := []int{http.StatusUnprocessableEntity, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound} // whatever a limit is said to refuse by
		limited := a.Err == nil && !slices.Contains(forms, a.Status) && t.judge(name).Refuses(a.Status, a.RetryAfter() >= 0)
		if limited {
			t.Skip("%v: got %s: a limit refused it, so that this field and the rest were not tried", a, a.got())
		}
		if a.Status == http.StatusUnauthorized {
			t.Skip("%v: got %s: the session is over, so that this field and the rest were not tried", a, a.got())
		}
		if a.Err == nil && a.Status/100 == 4 { // 409 as well, say
			t.Check(true, "")
			if name == "update" {
				f.refused[field] = a
			}
			continue
		}
		if !t.Check(a.Err == nil && (a.Status < 300 || t.Operation(name).Succeeded(a.Status)), "%v: got %s, want %s refused or unchanged", a, a.got(), field) {
			continue
		}
		id := f.id
		if name == "create" {
			id, _ = t.Operation(name).Field(a.Body, "id")
		}
		now := fmt.Sprint(value)
		if whose {
			now = "another's (" + now + ")"
		}
		took := sure && t.took(f, name, a, id, field, value)
		by := ""
		if !took && whose && f.hidden {
			by = t.sees(f, id)
		}
		if took || by != "" {
			t.givenAway(f, id)
		}
		t.Check(!took, "%v: got %s and %s is now %s, want it refused or unchanged", a, a.got(), field, now)
		t.Check(by == "", "%v: got %s and %s is now %s, who finds the object by %s, want it refused or unchanged", a, a.got(), field, now, by)
	}
}

// took tells whether an object has a foreign value where objects of its kind have the
// field by themselves: one that is merely stored beside those means nothing. What get
// shows is what was kept, whatever the answer repeats.
func (t *T) took(f *foreignFields, name string, a Answer, id, field string, value any) bool {
	if plain, ok := f.plain["get"]; ok && id != "" {
		got := t.Do("get", f.owner.from, f.owner.access, values{"id": id})
		if t.Operation("get").Succeeded(got.Status) {
			if took, shown := t.set("get", plain, got, field, value); shown {
				return took
			}
		}
	}
	plain := f.plain[name]
	if !t.Operation(name).Succeeded(plain.Status) {
		plain = f.plain["create"]
	}
	took, _ := t.set(name, plain, a, field, value)
	return took
}

// set tells whether an answer shows a field at a place that it has in a plain one too, and
// whether it is the value there, which it was not.
func (t *T) set(name string, plain, a Answer, field string, value any) (took, shown bool) {
	was := placed(plain)
	for place, v := range placed(a) {
		before, ok := was[place]
		if !ok || last(place) != field && place != "."+t.Operation(name).Fields[field] {
			continue
		}
		shown = true
		took = took || fmt.Sprint(v) == fmt.Sprint(value) && fmt.Sprint(before) != fmt.Sprint(value)
	}
	return took, shown
}

// sees is the operation by which the other account finds an object of the owner's; "" = by
// none.
func (t *T) sees(f *foreignFields, id string) string {
	if id == "" {
		return ""
	}
	if op, ok := t.target.Profile.Operations["get"]; ok {
		a := t.Do("get", f.other.from, f.other.access, values{"id": id})
		shown, told := op.Field(a.Body, "id")
		if a.Err == nil && op.Succeeded(a.Status) && (!told || shown == id) {
			return "get"
		}
	}
	if op, ok := t.target.Profile.Operations["list"]; ok {
		a := t.Do("list", f.other.from, f.other.access, nil)
		if items, _ := op.Value(a.Body, "items"); a.Err == nil && op.Succeeded(a.Status) {
			all, _ := items.([]any)
			for _, item := range all {
				b, _ := json.Marshal(item) // it came from JSON
				if shown, _ := op.Field(b, "id"); shown == id {
					return "list"
				}
			}
		}
	}
	return ""
}

// givenAway has an object taken back by the other account as well, whose it may be now.
func (t *T) givenAway(f *foreignFields, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id != "" {
		t.made = append(t.made, &made{owner: f.other, undo: "delete", id: id})
	}
}

// refusedAndSet tells of fields that an update was refused for, and that its object has
// all the same.
func (t *T) refusedAndSet(was, now look, guesses map[string]any, refused map[string]Answer) {
	for _, place := range differing(was, now) {
		field := last(place)
		if a, ok := refused[field]; ok && now.parts[place] == fmt.Sprint(guesses[field]) {
			t.Fail("%v: answered %s, and took effect: %v shows %s %q, before %q", a, a.got(), now.ans, place, cut(now.parts[place]), cut(was.parts[place]))
		}
	}
}

// last is the name at the end of a place.
func last(place string) string { return place[strings.LastIndexByte(place, '.')+1:] }

// placed are the texts, numbers, flags and nulls of an answer's JSON object, by their
// places, which begin with a dot.
func placed(a Answer) map[string]any {
	out := map[string]any{}
	var walk func(place string, v any)
	walk = func(place string, v any) {
		switch v := v.(type) {
		case []any: // what stands in a list is no field of the object
		case map[string]any:
			for name, inner := range v {
				walk(place+"."+name, inner)
			}
		default:
			out[place] = v
		}
	}
	var body any
	d := json.NewDecoder(strings.NewReader(string(a.Body)))
	d.UseNumber() // an id may have more digits than a float keeps
	if d.Decode(&body) == nil {
		walk("", body)
	}
	return out
}
