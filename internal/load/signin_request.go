package load

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"vitals/internal/wire"
	"vitals/scenarios"
)

// SignIn makes the request by which a scenario's users sign in, for somebody who is none
// of them: what an intruder sends differs only in who it says it is.
type SignIn struct {
	plan *plan
	of   step
	head map[string]template // by the header's name
	seed uint64
	n    atomic.Uint64
}

// beyond is above the numbers of all arrivals and turns: {{seq}} of a run are never alike.
const beyond = 1 << 40

// NewSignIn compiles the sign-in of a scenario that has one. The errors are those of Run,
// such as an environment variable that is not set.
func NewSignIn(sc *scenarios.Scenario, opt Options) (*SignIn, error) {
	opt.Base = &url.URL{} // the path is as it is written
	c := newCompiler(sc, opt)
	s := &SignIn{of: c.step(&sc.Accounts.SignIn), head: map[string]template{}, seed: opt.Seed}
	for name, value := range sc.Accounts.SignIn.Header {
		t, err := c.parse(value)
		c.errs = append(c.errs, err)
		s.head[name] = t
	}
	s.plan = c.plan // which has all variables now
	return s, errors.Join(c.errs...)
}

// Fill is the request's path, header and body with these credentials. Values that are
// made up differ from call to call. It is safe for concurrent use.
func (s *SignIn) Fill(email, password string) (path string, header http.Header, body []byte) {
	n := beyond + s.n.Add(1)
	g := &generatorState{n: n, rng: rand.New(rand.NewPCG(s.seed, n)), now: time.Now}
	vars := make([]variable, len(s.plan.names))
	for slot, value := range s.plan.fixed {
		vars[slot].set([]byte(value))
	}
	vars[slotEmail].set([]byte(email))
	vars[slotPassword].set([]byte(password))
	header = http.Header{"Content-Type": {"application/json"}}
	for name, t := range s.head {
		header.Set(name, string(t.fill(nil, vars, g, wire.InHeader)))
	}
	return string(s.of.path.fill(nil, vars, g, inPath)), header, s.of.body.fill(nil, vars, g, s.of.escape)
}
