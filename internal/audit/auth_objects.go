package audit

import (
	"bytes"
	"net/http"
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
