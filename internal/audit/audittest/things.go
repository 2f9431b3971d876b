package audittest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
)

func (x *call) list() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	out := []map[string]any{}
	for id, one := range x.s.things {
		if x.user != nil && one.owner != x.user.email && x.s.Lie != "everybody's things are listed" {
			continue
		}
		if !sane(one.due) {
			panic(http.ErrAbortHandler) // an answer that cannot be written
		}
		out = append(out, map[string]any{"ref": id})
	}
	x.answer(200, out)
}

// sane tells whether a moment is one that can be kept.
func sane(text string) bool {
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && at.UTC().Year() > 1900 && at.UTC().Year() < 2200
}

func (x *call) create() {
	due := x.text("due")
	if x.s.Lie != "a date breaks the list" && !sane(due) {
		x.fail(422, "due")
		return
	}
	id := uuid.NewString()
	x.s.mu.Lock()
	x.s.things[id] = thing{x.user.email, due}
	x.s.mu.Unlock()
	x.answer(201, map[string]any{"ref": id, "name": x.text("name")})
}

func (x *call) thing() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	one, ok := x.s.things[x.id]
	if !ok || x.user != nil && one.owner != x.user.email && x.s.Lie != "foreign objects readable" {
		x.fail(404, "thing")
		return
	}
	if x.r.Method == "DELETE" {
		delete(x.s.things, x.id)
		x.w.WriteHeader(204)
		return
	}
	x.answer(200, map[string]any{"ref": x.id, "name": x.text("name")})
}

// people is for admins alone.
func (x *call) people() {
	if !x.user.admin && x.s.Lie != "anybody signed in is an admin" {
		x.fail(403, "role")
		return
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.answer(200, map[string]any{"people": len(x.s.users)})
}

func (x *call) bar() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	for _, u := range x.s.users {
		if x.user.admin && u.id == x.id {
			u.barred = true
			x.answer(200, map[string]any{"state": "barred"})
			return
		}
	}
	x.fail(404, "person")
}
