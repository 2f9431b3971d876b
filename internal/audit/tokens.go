package audit

import (
	"maps"

	"github.com/google/uuid"
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
