package limit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"vitals/server/fault"
)

// Failure says what a Redis that does not answer means.
type Failure string

// The three. Whatever guards a credential, every policy but api, is never open
// (ASVS 16.5.3).
const (
	FailLocal  Failure = "local"  // each process counts for itself, its share of the limit
	FailClosed Failure = "closed" // 503, but for api, which is as with FailLocal
	FailOpen   Failure = "open"   // api lets everything through, the rest is as with FailLocal
)

// errDegraded stands for a call that was not made.
var errDegraded = errors.New("redis did not answer lately; not asked")

// Fallback is the limiter on Redis, or in this process when Redis does not answer. A
// single call that fails is answered here; after five in a row Redis is not asked
// until keep finds that it answers again.
//
// Memory holds what this process has asked of Redis about credentials: the locks it
// saw, its checks in flight and their failures. So a call that timed out gives an
// attacker no further attempt. Where other processes share the limit, nobody here
// knows what they have judged: a credential check then waits until Redis answers or
// is given up. Locks started and checks settled here wait
// in the write-behind queue until Redis answers.
type Fallback struct {
	breaker
	writeBehind
	redis    *Redis
	memory   *Memory
	failure  Failure
	replicas int
	turns    chan struct{} // of calls to Redis under way

	remember  func(context.Context) error // brings saved locks into memory; nil where none are saved
	recalling sync.Mutex
	recalled  time.Time // the outage whose first verdict has been given
}

func newFallback(r *Redis, m *Memory, o Options, ms *metrics, log *slog.Logger) *Fallback {
	if o.Redis.Failure == "" {
		o.Redis.Failure = FailLocal
	}
	return &Fallback{
		breaker:     breaker{mode: o.Redis.Failure, metrics: ms, log: log},
		writeBehind: writeBehind{dropped: ms.droppedWrite, warn: log},
		redis:       r, memory: m, failure: o.Redis.Failure, replicas: o.Replicas,
		turns: make(chan struct{}, redisCalls),
	}
}

// guards reports whether p protects a credential: every policy but api.
func guards(p Policy) bool { return p.Name != API }

// ask asks Redis, and this process if Redis does not answer and the mode and the
// policy let it. For a call that failed, this process stands in with the whole
// limit; while degraded, with its share of it, for every replica does the same. What
// is left of the whole limit it knows only where it alone judges and keeps count.
func (f *Fallback) ask(p Policy, shared func() (Decision, error), local func(Policy) (Decision, error)) (Decision, error) {
	d, err := f.share(shared)
	if err == nil {
		return d, nil
	}
	degraded := f.degraded() // perhaps by this very call
	if degraded {
		p.Limit = max(1, p.Limit/f.replicas)
	}
	switch {
	case f.failure == FailClosed && guards(p):
		return Decision{}, err
	case f.failure == FailOpen && !guards(p), fault.Is(fault.FailOpen):
		return Decision{Verdict: Allowed, Untold: true}, nil
	}
	d, err = local(p)
	d.Untold = d.Verdict == Allowed && !degraded && (f.replicas > 1 || !guards(p))
	return d, err
}

// share calls Redis, unless it was given up. A crowd takes turns before a call's
// time begins to count: some hundred at once, each waiting for the others' dials,
// would else be taken for a Redis that does not answer.
func (f *Fallback) share(call func() (Decision, error)) (Decision, error) {
	if f.degraded() {
		return Decision{}, errDegraded
	}
	f.turns <- struct{}{}
	defer func() { <-f.turns }()
	if f.degraded() { // by those who went before
		return Decision{}, errDegraded
	}
	d, err := call()
	f.called(err)
	return d, err
}
