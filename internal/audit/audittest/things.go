package audittest

import (
	"net/http"
	"strings"
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

// Things is how many things there are.
func (s *API) Things() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.things)
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
	x.s.things[id] = thing{owner: x.user.email, due: due, name: x.text("name")}
	x.s.mu.Unlock()
	x.answer(201, map[string]any{"ref": id, "name": x.text("name")})
}

func (x *call) thing() {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	one, ok := x.s.things[x.id]
	mine := ok && x.user != nil && one.owner == x.user.email
	if ok && x.works(mine) {
		switch x.r.Method {
		case "DELETE":
			delete(x.s.things, x.id)
		case "PATCH":
			one.name = x.text("name")
			x.s.things[x.id] = one
		}
	}
	switch may := mine || ok && (x.user == nil && !x.s.quiet() || x.s.Lie == "foreign objects readable"); {
	case !may && x.s.Lie == "what has no effect is a success" && x.r.Method != "GET":
		x.w.WriteHeader(204)
	case !may && x.user == nil:
		x.fail(401, "token")
	case !may:
		x.fail(404, "thing")
	case x.r.Method == "DELETE":
		x.w.WriteHeader(204)
	default:
		shown := map[string]any{"ref": x.id, "name": one.name}
		if one.role != "" {
			shown["role"] = one.role
		}
		if x.s.Lie == "what has no effect is a success" {
			shown["read"] = time.Now().Format(time.RFC3339Nano)
		}
		x.answer(200, shown)
	}
}

// works tells whether a change of a thing is made, which it should be for its owner alone.
func (x *call) works(mine bool) bool {
	change := "are changed"
	if x.r.Method == "DELETE" {
		change = "are deleted"
	}
	switch x.s.Lie {
	case "foreign objects readable", "who is not signed in may delete":
		return mine || x.user == nil || x.s.Lie == "foreign objects readable"
	case "others are refused, and things " + change:
		return mine || x.user != nil
	case "nobody is refused, and things " + change:
		return mine || x.user == nil
	}
	return mine
}

// quiet tells whether whoever is not signed in is answered about things by the things.
func (s *API) quiet() bool {
	return strings.HasPrefix(s.Lie, "nobody is refused, and things") || s.Lie == "what has no effect is a success"
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
