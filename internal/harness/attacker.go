package harness

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"vitals/internal/faults"
	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// attackers have what hostile requests of one scenario need, be they those of its
// intruders or those around a fault.
type attackers struct {
	st      *stack.Stack
	sc      *scenarios.Scenario
	shape   scenarios.Load
	rec     *measure.Recorder
	first   int            // the recorder's first step that is hostile
	steps   []measure.Step // those
	profile *profile.Profile
	pool    *pool
	see     func(*wire.Seen)
	tls     *tls.Config
	only    func(intruder int) bool // of the scenario's intruders, those that work here; nil = all
	signIn  *load.SignIn            // as honest users send it
	sender  *hostile                // the intruders'; it is closed with the scenario
}

// pool is what no two attacks of a session may share: accounts, each attacked
// once, and client addresses.
type pool struct {
	victims []intruders.Victim
	address uint64 // the next one

	mu     sync.Mutex
	spares []intruders.Victim // for those that an earlier run has left refused
}

// spare takes a spare account out; false when there is none.
func (p *pool) spare() (intruders.Victim, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.spares) == 0 {
		return intruders.Victim{}, false
	}
	v := p.spares[0]
	p.spares = p.spares[1:]
	return v, true
}

// take takes accounts and addresses out; it panics when there are too few accounts.
func (p *pool) take(victims, addresses int) (list []intruders.Victim, first uint64) {
	list, first = p.victims[:victims], p.address
	p.victims, p.address = p.victims[victims:], p.address+uint64(addresses)
	return list, first
}

// refill takes spares, so that there are accounts for n attacks.
func (p *pool) refill(n int) {
	for len(p.victims) < n {
		v, ok := p.spare()
		if !ok {
			return
		}
		p.victims = append(p.victims, v)
	}
}

// plan is what intruders need in this run. What they ask for beyond the
// scenario's own sign-in, they ask in the words of its profile.
func (a *attackers) plan(ins []scenarios.Intruder, victims []intruders.Victim, first uint64) intruders.Plan {
	var mu sync.Mutex
	shard := a.rec.Shard()
	address := a.st.Source
	if address == nil {
		address = func(uint64) netip.Addr { return netip.Addr{} } // the one that all have
	}
	return intruders.Plan{
		Intruders: ins, Load: a.shape, SignIn: a.sc.Accounts.SignIn, Fill: a.signIn.Fill, Prefix: wire.Prefix(a.st.URL), Cookies: a.sc.Cookies, Profile: a.profile,
		Victims: victims, Spare: a.pool.spare, Address: address, First: first, Step: a.first, Steps: a.steps,
		HeadTimeout: seconds(a.st.Settings, "READ_HEADER_TIMEOUT"), BodyTimeout: seconds(a.st.Settings, "READ_TIMEOUT"),
		Record: func(s *measure.Sample) { mu.Lock(); defer mu.Unlock(); shard.Record(s) },
		Ended:  shard.Close,
		Missed: func(step int, due time.Duration) { a.rec.Add(step, due, measure.Counts{Planned: 1, Dropped: 1}) },
	}
}

// hostileSteps are what intruders' requests are recorded under, those around a
// fault among them.
func hostileSteps(sc *scenarios.Scenario, fs []faults.Fault) []measure.Step {
	ins := sc.Intruder
	if len(fs) > 0 {
		ins = append([]scenarios.Intruder{{Kind: scenarios.PasswordGuessing}}, ins...)
	}
	return intruders.Steps(ins)
}

// seconds is a setting of the system under test; 0 when it does not tell.
func seconds(settings []stack.Setting, name string) time.Duration {
	i := slices.IndexFunc(settings, func(s stack.Setting) bool { return s.Name == name })
	if i < 0 {
		return 0
	}
	d, _ := time.ParseDuration(settings[i].Value + "s") // no number: 0
	return d
}

// hostile sends what intruders send: requests by a client of the load's kind,
// and bytes on bare connections.
type hostile struct {
	*wire.Client
	attackers *attackers
}

func (a *attackers) client(base *url.URL) *hostile {
	h := &hostile{wire.NewClient(base, a.st.Forward, a.sc.Timeout), a}
	h.Watch(a.see)
	h.Secure(a.tls)
	return h
}

// Open is the client's. What is sent on the connection is one request at the most
// that the server may have counted: a sign-in without a whole answer, in our counts.
func (h *hostile) Open(ctx context.Context, from netip.Addr) (net.Conn, string, error) {
	signIn := h.attackers.sc.Accounts.SignIn
	h.attackers.see(&wire.Seen{Method: signIn.Method, Route: signIn.Path, Class: measure.Body})
	return h.Client.Open(ctx, from)
}
