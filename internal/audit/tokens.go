package audit

import (
	"encoding/json"
	"maps"

	"github.com/google/uuid"

	"vitals/internal/profile"
)

// own remembers whose a token is, for the checker of limits.
func (r *runner) own(token, account string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners[token] = account
}

// learn remembers what the answer to a sign-in told, by its access token: operations
// may need it, as the id of who is signed in.
func (r *runner) learn(g *Target, token string, given values) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given[token], r.latest[g] = given, given
}

// told are values with those beside them that the sign-in of a token gave. A request
// of nobody, or with a token that was never given out, asks for what is somebody's: of
// whoever signed in last, or of nobody at all.
func (r *runner) told(g *Target, token string, v values) values {
	r.mu.Lock()
	defer r.mu.Unlock()
	given, known := r.given[token]
	if !known {
		given = r.latest[g]
	}
	out := values{}
	if !known {
		for _, name := range g.Profile.Told("login") {
			out[name] = uuid.NewString()
		}
	}
	maps.Copy(out, given)
	if !known {
		delete(out, "access_token") // whoever sends this has another one, or none
	}
	maps.Copy(out, v)
	return out
}

// number remembers that a field of a target's sign-ins is a number.
func (r *runner) number(g *Target, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.numbers[g] == nil {
		r.numbers[g] = values{}
	}
	r.numbers[g][name] = "a number"
}

// message is one of a target's operations, filled in with the values given and with those
// that the sign-in of a token gave.
func (r *runner) message(g *Target, operation, token string, v values) (profile.Message, error) {
	p, told := r.typed(g, token, v)
	return p.Message(operation, token, told)
}

// typed is told, without the numbers that the sign-in gave: these are values of the
// profile's, as those keep their type in a body.
func (r *runner) typed(g *Target, token string, v values) (*profile.Profile, values) {
	told := r.told(g, token, v)
	r.mu.Lock()
	defer r.mu.Unlock()
	p := *g.Profile
	p.Values = map[string]any{}
	maps.Copy(p.Values, g.Profile.Values)
	for name := range r.numbers[g] {
		if _, given := v[name]; !given && json.Valid([]byte(told[name])) {
			p.Values[name] = json.Number(told[name])
			delete(told, name)
		}
	}
	return &p, told
}

func isNumber(v any) bool { _, ok := v.(json.Number); return ok }

func (r *runner) owner(token string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.owners[token]
}

// met remembers after how many wrong sign-ins a target's lock was met; where gives
// that, 0 when it was met as promised, or not at all.
func (r *runner) met(g *Target, judged int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locks[g] = judged
}

func (r *runner) where(g *Target) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.locks[g]
}
