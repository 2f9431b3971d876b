package identity_test

import (
	"context"
	"sync"

	"vitals/server/identity"
)

// countingGate admits everybody and remembers what it was told.
type countingGate struct {
	mu     sync.Mutex
	refuse error // when set, the answer to everybody
	told   []string
}

func newGate() *countingGate { return &countingGate{} }

func (g *countingGate) say(s string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, s)
}

// taken is what was said since the last call.
func (g *countingGate) taken() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.told
	g.told = nil
	return out
}

func (g *countingGate) Enter(_ context.Context, policy string) (identity.Attempt, error) {
	if g.refuse != nil {
		return nil, g.refuse
	}
	return &countedAttempt{gate: g, policy: policy}, nil
}

type countedAttempt struct {
	gate   *countingGate
	policy string
	once   sync.Once
}

func (a *countedAttempt) Fail(context.Context, string) { a.settle("fail") }
func (a *countedAttempt) Pass(context.Context, string) { a.settle("pass") }
func (a *countedAttempt) Release(context.Context)      { a.settle("release") }

func (a *countedAttempt) settle(how string) {
	a.once.Do(func() { a.gate.say(a.policy + " " + how) })
}
